// Operations on [batch, .., channels] maps, value by value or over pixels.

// Bilinear doubling: 3/4 of the nearest old pixel, 1/4 of the next; beyond the edge the edge repeats.
__device__ inline int far_source(int now, int len) {
    int near = now / 2;
    if (now % 2 == 0) return near > 0 ? near - 1 : 0;
    return min(near + 1, len - 1);
}

// height and width of the small map; len values of the large one.
extern "C" __global__ void double_bilinear(const float *x, float *out, int len, int height, int width, int channels) {
    unsigned at = flat();
    if (at >= (unsigned)len) return;
    unsigned c = at % channels, rest = at / channels;
    int to_x = rest % (2 * width);
    rest /= 2 * width;
    int to_y = rest % (2 * height);
    long long sample = rest / (2 * height);
    int near_y = to_y / 2, far_y = far_source(to_y, height), near_x = to_x / 2, far_x = far_source(to_x, width);
    const float *map = x + sample * height * width * channels + c;
    float near = 0.75f * map[(long long)(near_y * width + near_x) * channels]
        + 0.25f * map[(long long)(near_y * width + far_x) * channels];
    float far = 0.75f * map[(long long)(far_y * width + near_x) * channels]
        + 0.25f * map[(long long)(far_y * width + far_x) * channels];
    out[at] = 0.75f * near + 0.25f * far;
}

__device__ inline float double_weight(int now, int old, int len) {
    return (now / 2 == old ? 0.75f : 0.0f) + (far_source(now, len) == old ? 0.25f : 0.0f);
}

// The adjoint; len values of the small map.
extern "C" __global__ void halve_bilinear(const float *g, float *out, int len, int height, int width, int channels) {
    unsigned at = flat();
    if (at >= (unsigned)len) return;
    unsigned c = at % channels, rest = at / channels;
    int x = rest % width;
    rest /= width;
    int y = rest % height;
    long long sample = rest / height;
    const float *map = g + sample * 4 * height * width * channels + c;
    float sum = 0.0f;
    for (int to_y = max(0, 2 * y - 1); to_y <= min(2 * height - 1, 2 * y + 2); to_y++) {
        float of_y = double_weight(to_y, y, height);
        for (int to_x = max(0, 2 * x - 1); to_x <= min(2 * width - 1, 2 * x + 2); to_x++) {
            sum += of_y * double_weight(to_x, x, width) * map[(long long)(to_y * 2 * width + to_x) * channels];
        }
    }
    out[at] = sum;
}

// y = x (1 + scale) + shift; modulation [batch, 2, channels]. Without shift: what a gradient passes through.
extern "C" __global__ void film(
    const float *x, const float *modulation, float *out, int pixels, int channels, int shifts
) {
    int c = column();
    if (c >= channels) return;
    const float *of_sample = modulation + (long long)blockIdx.z * 2 * channels;
    float factor = 1.0f + of_sample[c], shift = shifts ? of_sample[channels + c] : 0.0f;
    for (int p = blockIdx.y * ROWS + threadIdx.y; p < pixels; p += gridDim.y * ROWS) {
        long long at = ((long long)blockIdx.z * pixels + p) * channels + c;
        out[at] = x[at] * factor + shift;
    }
}

// The gradient of the modulation, [batch, 2, channels].
extern "C" __global__ void film_sums(const float *x, const float *gradient, float *out, int pixels, int channels) {
    __shared__ float shared[ROWS][LANES];
    int c = column();
    float product = 0.0f, total = 0.0f;
    if (c < channels) {
        for (int p = threadIdx.y; p < pixels; p += ROWS) {
            long long at = ((long long)blockIdx.z * pixels + p) * channels + c;
            product += gradient[at] * x[at];
            total += gradient[at];
        }
    }
    product = sum_of_rows(product, shared);
    total = sum_of_rows(total, shared);
    if (threadIdx.y == 0 && c < channels) {
        out[(long long)blockIdx.z * 2 * channels + c] = product;
        out[(long long)blockIdx.z * 2 * channels + channels + c] = total;
    }
}

// y = x where x > 0, slope x elsewhere; one slope or one a channel.
extern "C" __global__ void prelu(const float *x, const float *slope, float *out, int len, int slopes) {
    unsigned at = flat();
    if (at >= (unsigned)len) return;
    out[at] = x[at] > 0.0f ? x[at] : slope[at % slopes] * x[at];
}

// Gradients of x, and of the slope before it is summed.
extern "C" __global__ void prelu_gradient(
    const float *x, const float *slope, const float *gradient, float *of_x, float *of_slope, int len, int slopes
) {
    unsigned at = flat();
    if (at >= (unsigned)len) return;
    float value = x[at], g = gradient[at];
    of_x[at] = value > 0.0f ? g : slope[at % slopes] * g;
    of_slope[at] = value > 0.0f ? 0.0f : value * g;
}

// x Phi(x), Phi the normal distribution.
extern "C" __global__ void gelu(const float *x, float *out, int len) {
    unsigned at = flat();
    if (at >= (unsigned)len) return;
    out[at] = x[at] * 0.5f * erfcf(-0.70710678f * x[at]);
}

extern "C" __global__ void gelu_gradient(const float *x, const float *gradient, float *of_x, int len) {
    unsigned at = flat();
    if (at >= (unsigned)len) return;
    float below = 0.5f * erfcf(-0.70710678f * x[at]);
    float density = 0.39894228f * expf(-0.5f * x[at] * x[at]);
    of_x[at] = gradient[at] * (below + x[at] * density);
}

// The largest value of 3 x 3 windows at stride 2; windows over the lower or right edge count what is inside.
extern "C" __global__ void max_pool(
    const float *x, float *out, int len, int height, int width, int channels, int rows, int columns
) {
    unsigned at = flat();
    if (at >= (unsigned)len) return;
    unsigned c = at % channels, rest = at / channels;
    int left = rest % columns * 2;
    rest /= columns;
    int top = rest % rows * 2;
    long long sample = rest / rows;
    float most = NEGATIVE_INFINITY;
    for (int y = top; y < min(top + 3, height); y++) {
        for (int i = left; i < min(left + 3, width); i++) {
            most = fmaxf(most, x[((sample * height + y) * width + i) * channels + c]);
        }
    }
    out[at] = most;
}
