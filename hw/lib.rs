//! Radios and recordings: what stands between the sample streams of `sememe-blocks` and the antenna.
//!
//! This room is reserved; radio front ends and SigMF recordings are its first tenants.
