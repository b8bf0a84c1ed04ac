// Patches of [batch, height, width, channels] maps as rows, and their adjoint. `len` values of the result.

extern "C" __global__ void gather_patches(
    const float *x, float *out, int len, int height, int width, int channels, int rows, int columns, int kernel,
    int stride, int padding
) {
    unsigned at = flat();
    if (at >= (unsigned)len) return;
    unsigned c = at % channels, rest = at / channels;
    int kx = rest % kernel;
    rest /= kernel;
    int ky = rest % kernel;
    rest /= kernel;
    int patch_x = rest % columns;
    rest /= columns;
    int patch_y = rest % rows;
    unsigned sample = rest / rows;
    int y = patch_y * stride + ky - padding, from = patch_x * stride + kx - padding;
    int inside = y >= 0 && y < height && from >= 0 && from < width;
    out[at] = inside ? x[(((long long)sample * height + y) * width + from) * channels + c] : 0.0f;
}

// Adds every patch into its place; `bias` [channels] may be absent.
extern "C" __global__ void scatter_patches(
    const float *patches, const float *bias, float *out, int len, int height, int width, int channels, int rows,
    int columns, int kernel, int stride, int padding
) {
    unsigned at = flat();
    if (at >= (unsigned)len) return;
    unsigned c = at % channels, rest = at / channels;
    int x = rest % width;
    rest /= width;
    int y = rest % height;
    unsigned sample = rest / height;
    float sum = bias ? bias[c] : 0.0f;
    for (int ky = (y + padding) % stride; ky < kernel; ky += stride) {
        int patch_y = (y + padding - ky) / stride;
        if (y + padding < ky || patch_y >= rows) continue;
        for (int kx = (x + padding) % stride; kx < kernel; kx += stride) {
            int patch_x = (x + padding - kx) / stride;
            if (x + padding < kx || patch_x >= columns) continue;
            long long patch = ((long long)sample * rows + patch_y) * columns + patch_x;
            sum += patches[((patch * kernel + ky) * kernel + kx) * channels + c];
        }
    }
    out[at] = sum;
}
