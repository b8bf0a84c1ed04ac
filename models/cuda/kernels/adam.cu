// The Adam step and exponential averages, in place.

// average += part (value - average); a part of 1 copies.
extern "C" __global__ void average(float *average, const float *value, int len, float part) {
    for (long long at = flat(); at < len; at += (long long)gridDim.x * LANES * ROWS) {
        average[at] = part == 1.0f ? value[at] : average[at] + part * (value[at] - average[at]);
    }
}

// All variables of a model at once. A slot is five words: addresses of parameter, moments, gradient and average,
// and the number of values. Every layer of blocks takes a slot.
#define SLOT_WORDS 5

// Sums of squared gradients, [slots, gridDim.x].
extern "C" __global__ void all_energies(const unsigned long long *slots, float *sums) {
    __shared__ float shared[ROWS][LANES];
    const unsigned long long *slot = slots + (long long)blockIdx.z * SLOT_WORDS;
    const float *gradient = (const float *)slot[2];
    long long len = (long long)slot[4];
    float sum = 0.0f;
    for (long long at = flat(); at < len; at += (long long)gridDim.x * LANES * ROWS) sum += gradient[at] * gradient[at];
    sum = sum_of_rows(sum, shared);
    sum = sum_of_lanes(sum, shared);
    if (threadIdx.y == 0 && threadIdx.x == 0) sums[(long long)blockIdx.z * gridDim.x + blockIdx.x] = sum;
}

extern "C" __global__ void all_steps(
    const unsigned long long *slots, float beta1, float beta2, float scale, float rate, float root, float epsilon,
    float part
) {
    const unsigned long long *slot = slots + (long long)blockIdx.z * SLOT_WORDS;
    float *parameter = (float *)slot[0], *moments = (float *)slot[1], *average = (float *)slot[3];
    const float *gradient = (const float *)slot[2];
    long long len = (long long)slot[4];
    for (long long at = flat(); at < len; at += (long long)gridDim.x * LANES * ROWS) {
        float g = gradient[at] * scale;
        float first = beta1 * moments[at] + (1.0f - beta1) * g;
        float second = beta2 * moments[len + at] + (1.0f - beta2) * g * g;
        float value = parameter[at] - rate * first / (root * sqrtf(second) + epsilon);
        moments[at] = first;
        moments[len + at] = second;
        parameter[at] = value;
        average[at] = part == 1.0f ? value : average[at] + part * (value - average[at]);
    }
}
