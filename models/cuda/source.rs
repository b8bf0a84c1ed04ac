//! The kernels, as the compiler on the machine gets them.

/// CUDA C++ of all kernels.
pub const SOURCE: &str = concat!(
    include_str!("kernels/prelude.cu"),
    include_str!("kernels/rows.cu"),
    include_str!("kernels/depthwise.cu"),
    include_str!("kernels/response.cu"),
    include_str!("kernels/patches.cu"),
    include_str!("kernels/maps.cu"),
    include_str!("kernels/layer_norm.cu"),
    include_str!("kernels/attention.cu"),
    include_str!("kernels/adam.cu"),
);

/// How a kernel's definition begins.
const DEFINITION: &str = "extern \"C\" __global__ void ";

/// Names of all kernels, those that macros define among them.
pub fn kernel_names() -> Vec<&'static str> {
    let name = |text: &'static str| text.split(['(', ',']).next().unwrap_or_default().trim();
    let plain = SOURCE.split(DEFINITION).skip(1).map(name).filter(|name| *name != "NAME");
    let of_macros = SOURCE.lines().filter_map(|line| line.strip_prefix("CORRELATE(")).map(name);
    plain.chain(of_macros).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_has_a_name_of_its_own() {
        let mut names = kernel_names();
        assert!(names.contains(&"depthwise_7_bf16") && names.contains(&"all_steps"), "{names:?}");
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
