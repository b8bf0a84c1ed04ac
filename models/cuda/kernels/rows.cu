// Rows of values: starts of sums, sums over rows, storage types.

// out = row in every row, plus a residual; either may be absent.
template <class T>
__device__ inline void start_rows(T *out, const float *row, const float *residual, int rows, int columns) {
    int c = column();
    if (c >= columns) return;
    float start = row ? row[c] : 0.0f;
    for (int r = blockIdx.y * ROWS + threadIdx.y; r < rows; r += gridDim.y * ROWS) {
        long long at = (long long)r * columns + c;
        write(out, at, residual ? start + residual[at] : start);
    }
}

extern "C" __global__ void start_rows_f32(float *out, const float *row, const float *residual, int rows, int columns) {
    start_rows(out, row, residual, rows, columns);
}
extern "C" __global__ void start_rows_bf16(bf16 *out, const float *row, const float *residual, int rows, int columns) {
    start_rows(out, row, residual, rows, columns);
}

// Sums of each column over `per_sum` rows: values [rows, columns] to [gridDim.z, columns].
template <class T>
__device__ inline void sum_columns(const T *values, float *sums, int rows, int columns, int per_sum) {
    __shared__ float shared[ROWS][LANES];
    int c = column();
    for (int part = blockIdx.z; (long long)part * per_sum < rows; part += gridDim.z) {
        int first = part * per_sum, last = min(rows, first + per_sum);
        float sum = 0.0f;
        if (c < columns) {
            for (int r = first + threadIdx.y; r < last; r += ROWS) sum += read(values, (long long)r * columns + c);
        }
        sum = sum_of_rows(sum, shared);
        if (threadIdx.y == 0 && c < columns) sums[(long long)part * columns + c] = sum;
    }
}

extern "C" __global__ void sum_columns_f32(const float *values, float *sums, int rows, int columns, int per_sum) {
    sum_columns(values, sums, rows, columns, per_sum);
}
extern "C" __global__ void sum_columns_bf16(const bf16 *values, float *sums, int rows, int columns, int per_sum) {
    sum_columns(values, sums, rows, columns, per_sum);
}

extern "C" __global__ void to_bf16(const float *from, bf16 *to, int len) {
    for (long long at = flat(); at < len; at += (long long)gridDim.x * LANES * ROWS) write(to, at, from[at]);
}
