// What all kernels share. Every block has 32 x 8 threads: x runs along neighbouring values, y along rows.
// Written in the part of CUDA C++ that a C++ compiler takes too, so that tests can run it without a GPU: no
// warp shuffles, no atomics, shared memory of fixed size. Sums run in a fixed order: results repeat.

#define LANES 32
#define ROWS 8
#define NEGATIVE_INFINITY __uint_as_float(0xff800000u)

struct bf16 {
    unsigned short bits;
};

__device__ inline float read(const float *from, long long at) { return from[at]; }
__device__ inline float read(const bf16 *from, long long at) {
    return __uint_as_float((unsigned)from[at].bits << 16);
}
__device__ inline void write(float *to, long long at, float value) { to[at] = value; }

// To the nearest, ties to even; what is no number stays none.
__device__ inline void write(bf16 *to, long long at, float value) {
    unsigned bits = __float_as_uint(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        to[at].bits = (unsigned short)((bits >> 16) | 0x40u);
        return;
    }
    to[at].bits = (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

__device__ inline int column() { return blockIdx.x * LANES + threadIdx.x; }
__device__ inline unsigned flat() {
    return (blockIdx.x * ROWS + threadIdx.y) * LANES + threadIdx.x;
}
__device__ inline float positive(float x) { return x > 0.0f ? x : 0.0f; }

// The sum over a block's rows of threads, lane by lane; all threads take part, row 0 gets the result.
__device__ inline float sum_of_rows(float value, float (*shared)[LANES]) {
    __syncthreads();
    shared[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    float sum = 0.0f;
    if (threadIdx.y == 0) {
        for (int row = 0; row < ROWS; row++) sum += shared[row][threadIdx.x];
    }
    return sum;
}

// The sum over a block's lanes, row by row; all threads take part and get it.
__device__ inline float sum_of_lanes(float value, float (*shared)[LANES]) {
    __syncthreads();
    shared[threadIdx.y][threadIdx.x] = value;
    for (int half = LANES / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) shared[threadIdx.y][threadIdx.x] += shared[threadIdx.y][threadIdx.x + half];
    }
    __syncthreads();
    return shared[threadIdx.y][0];
}
