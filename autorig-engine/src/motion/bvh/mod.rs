//! BVH: a skeleton and its motion as text, as motion capture delivers it.
//!
//! Written after Meredith, Maddock 2001, "Motion capture file formats explained", section 3. Angles are degrees; a joint's
//! rotation is the product of its rotation channels in the order they are listed; position channels replace the offset. The
//! rest is that of zero rotations, which need not be a T-pose. The format knows neither unit nor axes nor end names: up
//! and forward are read from the skeleton, the unit from its height.

mod frame;
mod parse;
mod write;

pub use parse::read;
pub use write::write;

/// Joints of one file at most; a captured actor with fingers has under a hundred.
pub const MOST_JOINTS: usize = 10_000;
/// Numbers of one file at most: an hour of a hundred joints at 120 frames a second.
pub const MOST_VALUES: usize = 130_000_000;

#[cfg(test)]
mod tests;
