// ReLU and global response normalisation of [batch, pixels, channels]; norms run over pixels.

#define RESPONSE_EPSILON 1e-6f

// norms [batch, channels] of the rectified values.
template <class T> __device__ inline void norms(const T *x, float *norm, int pixels, int channels) {
    __shared__ float shared[ROWS][LANES];
    int c = column();
    const T *sample = x + (long long)blockIdx.z * pixels * channels;
    float energy = 0.0f;
    if (c < channels) {
        for (int p = threadIdx.y; p < pixels; p += ROWS) {
            float r = positive(read(sample, (long long)p * channels + c));
            energy += r * r;
        }
    }
    energy = sum_of_rows(energy, shared);
    if (threadIdx.y == 0 && c < channels) norm[(long long)blockIdx.z * channels + c] = sqrtf(energy);
}
extern "C" __global__ void response_norms_f32(const float *x, float *norm, int pixels, int channels) {
    norms(x, norm, pixels, channels);
}
extern "C" __global__ void response_norms_bf16(const bf16 *x, float *norm, int pixels, int channels) {
    norms(x, norm, pixels, channels);
}

// The mean over channels of one sample's norms, for all threads of a block.
__device__ inline float mean_norm(const float *norm, int channels) {
    __shared__ float shared[ROWS][LANES];
    float sum = 0.0f;
    for (int c = threadIdx.y * LANES + threadIdx.x; c < channels; c += ROWS * LANES) sum += norm[c];
    sum = sum_of_lanes(sum, shared);
    float total = 0.0f;
    __syncthreads();
    for (int row = 0; row < ROWS; row++) total += shared[row][0];
    __syncthreads();
    return total / (float)channels + RESPONSE_EPSILON;
}

// gain = 1 + scale * norm / mean; one block a sample. weight [2, channels]: scale, shift.
extern "C" __global__ void response_gains(const float *norm, const float *weight, float *gain, int channels) {
    long long start = (long long)blockIdx.x * channels;
    float mean = mean_norm(norm + start, channels);
    for (int c = threadIdx.y * LANES + threadIdx.x; c < channels; c += ROWS * LANES) {
        gain[start + c] = 1.0f + weight[c] * (norm[start + c] / mean);
    }
}

template <class T>
__device__ inline void apply(const T *x, const float *gain, const float *weight, T *out, int pixels, int channels) {
    int c = column();
    if (c >= channels) return;
    long long start = (long long)blockIdx.z * pixels * channels;
    float factor = gain[(long long)blockIdx.z * channels + c], shift = weight[channels + c];
    for (int p = blockIdx.y * ROWS + threadIdx.y; p < pixels; p += gridDim.y * ROWS) {
        long long at = start + (long long)p * channels + c;
        write(out, at, positive(read(x, at)) * factor + shift);
    }
}
extern "C" __global__ void response_apply_f32(
    const float *x, const float *gain, const float *weight, float *out, int pixels, int channels
) {
    apply(x, gain, weight, out, pixels, channels);
}
extern "C" __global__ void response_apply_bf16(
    const bf16 *x, const float *gain, const float *weight, bf16 *out, int pixels, int channels
) {
    apply(x, gain, weight, out, pixels, channels);
}

// norm [batch, channels] as above; sums [batch, 2, channels]: of rectified values times gradients, of gradients.
template <class T>
__device__ inline void moments(const T *x, const T *gradient, float *norm, float *sums, int pixels, int channels) {
    __shared__ float shared[ROWS][LANES];
    int c = column();
    long long start = (long long)blockIdx.z * pixels * channels;
    float energy = 0.0f, product = 0.0f, total = 0.0f;
    if (c < channels) {
        for (int p = threadIdx.y; p < pixels; p += ROWS) {
            long long at = start + (long long)p * channels + c;
            float r = positive(read(x, at)), g = read(gradient, at);
            energy += r * r;
            product += r * g;
            total += g;
        }
    }
    energy = sum_of_rows(energy, shared);
    product = sum_of_rows(product, shared);
    total = sum_of_rows(total, shared);
    if (threadIdx.y == 0 && c < channels) {
        norm[(long long)blockIdx.z * channels + c] = sqrtf(energy);
        sums[(long long)blockIdx.z * 2 * channels + c] = product;
        sums[(long long)blockIdx.z * 2 * channels + channels + c] = total;
    }
}
extern "C" __global__ void response_moments_f32(
    const float *x, const float *gradient, float *norm, float *sums, int pixels, int channels
) {
    moments(x, gradient, norm, sums, pixels, channels);
}
extern "C" __global__ void response_moments_bf16(
    const bf16 *x, const bf16 *gradient, float *norm, float *sums, int pixels, int channels
) {
    moments(x, gradient, norm, sums, pixels, channels);
}

// What gradients are made of, one block a sample. In: norm, sums. Out: factor on the gradient, norm becomes the
// factor on x, the first of the sums becomes the gradient of the scale.
extern "C" __global__ void response_factors(
    float *norm, float *sums, const float *weight, float *of_gradient, int channels
) {
    __shared__ float shared[ROWS][LANES];
    long long start = (long long)blockIdx.x * channels;
    float *norms = norm + start, *products = sums + 2 * start;
    float mean = mean_norm(norms, channels);
    float through = 0.0f;
    for (int c = threadIdx.y * LANES + threadIdx.x; c < channels; c += ROWS * LANES) {
        through += weight[c] * products[c] * norms[c];
    }
    through = sum_of_lanes(through, shared);
    through = 0.0f;
    __syncthreads();
    for (int row = 0; row < ROWS; row++) through += shared[row][0];
    through /= mean * mean * (float)channels;
    for (int c = threadIdx.y * LANES + threadIdx.x; c < channels; c += ROWS * LANES) {
        float n = norms[c], product = products[c], ratio = n / mean;
        products[c] = product * ratio;
        of_gradient[start + c] = 1.0f + weight[c] * ratio;
        // d||r|| / dr = r / ||r||; at a dead channel the limit is taken as 0.
        norms[c] = n == 0.0f ? 0.0f : (weight[c] * product / mean - through) / n;
    }
}

template <class T>
__device__ inline void combine(
    const T *x, const T *gradient, const float *of_gradient, const float *of_x, T *out, int pixels, int channels
) {
    int c = column();
    if (c >= channels) return;
    long long start = (long long)blockIdx.z * pixels * channels;
    float on_gradient = of_gradient[(long long)blockIdx.z * channels + c];
    float on_x = of_x[(long long)blockIdx.z * channels + c];
    for (int p = blockIdx.y * ROWS + threadIdx.y; p < pixels; p += gridDim.y * ROWS) {
        long long at = start + (long long)p * channels + c;
        float value = read(x, at);
        write(out, at, value > 0.0f ? read(gradient, at) * on_gradient + value * on_x : 0.0f);
    }
}
extern "C" __global__ void response_combine_f32(
    const float *x, const float *gradient, const float *of_gradient, const float *of_x, float *out, int pixels,
    int channels
) {
    combine(x, gradient, of_gradient, of_x, out, pixels, channels);
}
extern "C" __global__ void response_combine_bf16(
    const bf16 *x, const bf16 *gradient, const float *of_gradient, const float *of_x, bf16 *out, int pixels,
    int channels
) {
    combine(x, gradient, of_gradient, of_x, out, pixels, channels);
}
