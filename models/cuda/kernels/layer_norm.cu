// Layer normalisation of rows [rows, channels]; a row of threads takes a row of values.

#define NORM_EPSILON 1e-6f

// Mean and 1 / sqrt(variance + epsilon) of a row, for its threads.
template <class T>
__device__ inline void statistics(
    const T *row, int channels, int exists, float (*shared)[LANES], float *mean, float *gain
) {
    float sum = 0.0f;
    for (int c = threadIdx.x; exists && c < channels; c += LANES) sum += row[c];
    *mean = sum_of_lanes(sum, shared) / (float)channels;
    sum = 0.0f;
    for (int c = threadIdx.x; exists && c < channels; c += LANES) {
        float d = row[c] - *mean;
        sum += d * d;
    }
    *gain = 1.0f / sqrtf(sum_of_lanes(sum, shared) / (float)channels + NORM_EPSILON);
}

// weight [2, channels]: scale, shift.
template <class T>
__device__ inline void normalize(const float *x, const float *weight, T *out, int rows, int channels) {
    __shared__ float shared[ROWS][LANES];
    for (int first = blockIdx.y * ROWS; first < rows; first += gridDim.y * ROWS) {
        int r = first + threadIdx.y, exists = r < rows;
        const float *row = x + (long long)r * channels;
        float mean, gain;
        statistics(row, channels, exists, shared, &mean, &gain);
        for (int c = threadIdx.x; exists && c < channels; c += LANES) {
            write(out, (long long)r * channels + c, (row[c] - mean) * gain * weight[c] + weight[channels + c]);
        }
    }
}
extern "C" __global__ void layer_norm_f32(const float *x, const float *weight, float *out, int rows, int channels) {
    normalize(x, weight, out, rows, channels);
}
extern "C" __global__ void layer_norm_bf16(const float *x, const float *weight, bf16 *out, int rows, int channels) {
    normalize(x, weight, out, rows, channels);
}

// Gradients of x, and of the scale before it is summed over rows.
extern "C" __global__ void layer_norm_gradient(
    const float *x, const float *weight, const float *gradient, float *of_x, float *of_scale, int rows, int channels
) {
    __shared__ float shared[ROWS][LANES];
    for (int first = blockIdx.y * ROWS; first < rows; first += gridDim.y * ROWS) {
        int r = first + threadIdx.y, exists = r < rows;
        long long start = (long long)r * channels;
        float mean, gain, total = 0.0f, product = 0.0f;
        statistics(x + start, channels, exists, shared, &mean, &gain);
        for (int c = threadIdx.x; exists && c < channels; c += LANES) {
            float unit = (x[start + c] - mean) * gain, g = gradient[start + c];
            of_scale[start + c] = g * unit;
            total += g * weight[c];
            product += g * weight[c] * unit;
        }
        total = sum_of_lanes(total, shared) / (float)channels;
        product = sum_of_lanes(product, shared) / (float)channels;
        for (int c = threadIdx.x; exists && c < channels; c += LANES) {
            float unit = (x[start + c] - mean) * gain;
            of_x[start + c] = gain * (gradient[start + c] * weight[c] - total - unit * product);
        }
    }
}
