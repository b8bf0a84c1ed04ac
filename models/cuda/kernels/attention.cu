// Softmax attention within short sequences, qkv [sequences, len, 3, heads * width].
// A block takes one sequence and head (blockIdx.x), and every ROWS-th query or key.

struct Heads {
    const float *qkv;
    int len, channels, width;
};

__device__ inline const float *part(Heads h, int token, int which) {
    return h.qkv + (long long)token * 3 * h.channels + which * h.channels;
}

// The weights of each query over all keys: weights [sequences, heads, len, len].
extern "C" __global__ void attention_weights(const float *qkv, float *weights, int len, int channels, int heads) {
    __shared__ float shared[ROWS][LANES];
    int sequence = blockIdx.x / heads, head = blockIdx.x % heads, width = channels / heads;
    Heads h = {qkv + (long long)sequence * len * 3 * channels + head * width, len, channels, width};
    float scale = 1.0f / sqrtf((float)width);
    for (int first = 0; first < len; first += ROWS) {
        int query = first + threadIdx.y, exists = query < len;
        float *row = weights + ((long long)blockIdx.x * len + query) * len;
        float highest = NEGATIVE_INFINITY;
        for (int key = threadIdx.x; exists && key < len; key += LANES) {
            const float *q = part(h, query, 0), *k = part(h, key, 1);
            float score = 0.0f;
            for (int i = 0; i < width; i++) score += q[i] * k[i];
            row[key] = scale * score;
            highest = fmaxf(highest, scale * score);
        }
        __syncthreads();
        shared[threadIdx.y][threadIdx.x] = highest;
        __syncthreads();
        for (int lane = 0; lane < LANES; lane++) highest = fmaxf(highest, shared[threadIdx.y][lane]);
        float total = 0.0f;
        for (int key = threadIdx.x; exists && key < len; key += LANES) {
            row[key] = expf(row[key] - highest);
            total += row[key];
        }
        total = sum_of_lanes(total, shared);
        for (int key = threadIdx.x; exists && key < len; key += LANES) row[key] /= total;
    }
}

// out [sequences, len, heads * width] = weights times values.
extern "C" __global__ void attention_values(
    const float *qkv, const float *weights, float *out, int len, int channels, int heads
) {
    int sequence = blockIdx.x / heads, head = blockIdx.x % heads, width = channels / heads;
    Heads h = {qkv + (long long)sequence * len * 3 * channels + head * width, len, channels, width};
    for (int query = threadIdx.y; query < len; query += ROWS) {
        const float *row = weights + ((long long)blockIdx.x * len + query) * len;
        float *to = out + ((long long)sequence * len + query) * channels + head * width;
        for (int i = threadIdx.x; i < width; i += LANES) {
            float sum = 0.0f;
            for (int key = 0; key < len; key++) sum += row[key] * part(h, key, 2)[i];
            to[i] = sum;
        }
    }
}

// Gradients of the scores, before the softmax: of_scores [sequences, heads, len, len].
extern "C" __global__ void attention_scores(
    const float *qkv, const float *weights, const float *gradient, float *of_scores, int len, int channels, int heads
) {
    __shared__ float shared[ROWS][LANES];
    int sequence = blockIdx.x / heads, head = blockIdx.x % heads, width = channels / heads;
    Heads h = {qkv + (long long)sequence * len * 3 * channels + head * width, len, channels, width};
    float scale = 1.0f / sqrtf((float)width);
    for (int first = 0; first < len; first += ROWS) {
        int query = first + threadIdx.y, exists = query < len;
        const float *row = weights + ((long long)blockIdx.x * len + query) * len;
        float *to = of_scores + ((long long)blockIdx.x * len + query) * len;
        const float *g = gradient + ((long long)sequence * len + query) * channels + head * width;
        float mean = 0.0f;
        for (int key = threadIdx.x; exists && key < len; key += LANES) {
            const float *v = part(h, key, 2);
            float of_weight = 0.0f;
            for (int i = 0; i < width; i++) of_weight += g[i] * v[i];
            to[key] = of_weight;
            mean += row[key] * of_weight;
        }
        mean = sum_of_lanes(mean, shared);
        for (int key = threadIdx.x; exists && key < len; key += LANES) {
            to[key] = scale * row[key] * (to[key] - mean);
        }
    }
}

// Gradients of queries, keys and values, laid out as qkv.
extern "C" __global__ void attention_gradient(
    const float *qkv, const float *weights, const float *of_scores, const float *gradient, float *of_qkv, int len,
    int channels, int heads
) {
    int sequence = blockIdx.x / heads, head = blockIdx.x % heads, width = channels / heads;
    long long start = (long long)sequence * len * 3 * channels + head * width;
    Heads h = {qkv + start, len, channels, width};
    const float *scores = of_scores + (long long)blockIdx.x * len * len;
    const float *of_head = weights + (long long)blockIdx.x * len * len;
    long long n = len;
    const float *g = gradient + (long long)sequence * len * channels + head * width;
    for (int token = threadIdx.y; token < len; token += ROWS) {
        float *to = of_qkv + start + (long long)token * 3 * channels;
        for (int i = threadIdx.x; i < width; i += LANES) {
            float query = 0.0f, key = 0.0f, value = 0.0f;
            for (int other = 0; other < len; other++) {
                query += scores[token * n + other] * part(h, other, 1)[i];
                key += scores[other * n + token] * part(h, other, 0)[i];
                value += of_head[other * n + token] * g[(long long)other * channels + i];
            }
            to[i] = query;
            to[channels + i] = key;
            to[2 * channels + i] = value;
        }
    }
}
