// Depthwise convolution of [batch, height, width, channels] maps, zero padding, size kept.

// Outputs of a thread, side by side: what they read overlaps.
#define SIDE_BY_SIDE 4

// `flipped`: taps in reverse and no bias, the adjoint. `added` may be absent. K = 0: a side known only now.
template <int K, class T>
__device__ inline void correlate(
    const float *x, const float *weight, const float *added, T *out,
    int batch, int height, int width, int channels, int side, int flipped
) {
    int k = K ? K : side, pad = k / 2, c = column();
    int per_line = (width + SIDE_BY_SIDE - 1) / SIDE_BY_SIDE;
    if (c >= channels) return;
    float bias = flipped ? 0.0f : weight[(long long)k * k * channels + c];
    for (int sample = blockIdx.z; sample < batch; sample += gridDim.z) {
        const float *map = x + (long long)sample * height * width * channels;
        for (int task = blockIdx.y * ROWS + threadIdx.y; task < height * per_line; task += gridDim.y * ROWS) {
            int y = task / per_line, first = task % per_line * SIDE_BY_SIDE;
            float sums[SIDE_BY_SIDE];
#pragma unroll
            for (int i = 0; i < SIDE_BY_SIDE; i++) sums[i] = bias;
#pragma unroll 1
            for (int ky = 0; ky < k; ky++) {
                int from = y + ky - pad;
                if (from < 0 || from >= height) continue;
                const float *line = map + (long long)from * width * channels + c;
                const float *taps = weight + (long long)(flipped ? k - 1 - ky : ky) * k * channels + c;
                if (K) {
                    float values[SIDE_BY_SIDE + (K ? K : 1) - 1];
#pragma unroll
                    for (int i = 0; i < SIDE_BY_SIDE + (K ? K : 1) - 1; i++) {
                        int at = first + i - pad;
                        values[i] = at >= 0 && at < width ? line[(long long)at * channels] : 0.0f;
                    }
#pragma unroll
                    for (int kx = 0; kx < (K ? K : 1); kx++) {
                        float tap = taps[(long long)(flipped ? K - 1 - kx : kx) * channels];
#pragma unroll
                        for (int i = 0; i < SIDE_BY_SIDE; i++) sums[i] += values[i + kx] * tap;
                    }
                } else {
                    for (int kx = 0; kx < k; kx++) {
                        float tap = taps[(long long)(flipped ? k - 1 - kx : kx) * channels];
                        for (int i = 0; i < SIDE_BY_SIDE; i++) {
                            int at = first + i + kx - pad;
                            if (at >= 0 && at < width) sums[i] += line[(long long)at * channels] * tap;
                        }
                    }
                }
            }
#pragma unroll
            for (int i = 0; i < SIDE_BY_SIDE; i++) {
                if (first + i >= width) continue;
                long long at = (((long long)sample * height + y) * width + first + i) * channels + c;
                write(out, at, added ? sums[i] + added[at] : sums[i]);
            }
        }
    }
}

#define CORRELATE(NAME, K, T)                                                                                     \
    extern "C" __global__ void NAME(                                                                              \
        const float *x, const float *weight, const float *added, T *out, int batch, int height, int width,        \
        int channels, int side, int flipped                                                                       \
    ) {                                                                                                           \
        correlate<K, T>(x, weight, added, out, batch, height, width, channels, side, flipped);                    \
    }
CORRELATE(depthwise_7_f32, 7, float)
CORRELATE(depthwise_7_bf16, 7, bf16)
CORRELATE(depthwise_any, 0, float)

// Gradients of taps and bias over some samples: sums [gridDim.z, k * k + 1, channels]. A block takes one line
// of taps; a window of inputs slides along the line.
template <int K>
__device__ inline void tap_gradients(
    const float *x, const float *gradient, float *sums, int batch, int height, int width, int channels, int side
) {
    __shared__ float shared[ROWS][LANES];
    int k = K ? K : side, pad = k / 2, c = column(), lines = K ? k : k * k;
    for (int line = blockIdx.y; line < lines; line += gridDim.y) {
        int ky = K ? line : line / k, only = K ? 0 : line % k;
        float taps[K ? K : 1], bias = 0.0f;
#pragma unroll
        for (int i = 0; i < (K ? K : 1); i++) taps[i] = 0.0f;
        if (c < channels) {
            for (int sample = blockIdx.z; sample < batch; sample += gridDim.z) {
                for (int y = threadIdx.y; y < height; y += ROWS) {
                    int from = y + ky - pad;
                    if (from < 0 || from >= height) continue;
                    const float *input = x + ((long long)sample * height + from) * width * channels + c;
                    const float *g = gradient + ((long long)sample * height + y) * width * channels + c;
                    float window[K ? K : 1];
#pragma unroll
                    for (int i = 1; i < (K ? K : 1); i++) {
                        int at = i - 1 - pad;
                        window[i] = at >= 0 && at < width ? input[(long long)at * channels] : 0.0f;
                    }
                    for (int at = 0; at < width; at++) {
                        float value = g[(long long)at * channels];
                        bias += value;
                        int next = K ? at + K - 1 - pad : at + only - pad;
                        float input_value = next >= 0 && next < width ? input[(long long)next * channels] : 0.0f;
#pragma unroll
                        for (int i = 1; i < (K ? K : 1); i++) window[i - 1] = window[i];
                        window[(K ? K : 1) - 1] = input_value;
#pragma unroll
                        for (int i = 0; i < (K ? K : 1); i++) taps[i] += window[i] * value;
                    }
                }
            }
        }
        float *out = sums + (long long)blockIdx.z * (k * k + 1) * channels;
#pragma unroll
        for (int i = 0; i < (K ? K : 1); i++) {
            float sum = sum_of_rows(taps[i], shared);
            int tap = K ? line * k + i : line;
            if (threadIdx.y == 0 && c < channels) out[(long long)tap * channels + c] = sum;
        }
        // The middle line meets every pixel.
        if (ky == pad && only == (K ? 0 : pad)) {
            float sum = sum_of_rows(bias, shared);
            if (threadIdx.y == 0 && c < channels) out[(long long)k * k * channels + c] = sum;
        }
    }
}

extern "C" __global__ void depthwise_taps_7(
    const float *x, const float *gradient, float *sums, int batch, int height, int width, int channels, int side
) {
    tap_gradients<7>(x, gradient, sums, batch, height, width, channels, side);
}
extern "C" __global__ void depthwise_taps_any(
    const float *x, const float *gradient, float *sums, int batch, int height, int width, int channels, int side
) {
    tap_gradients<0>(x, gradient, sums, batch, height, width, channels, side);
}
