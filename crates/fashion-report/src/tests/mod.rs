//! Tests over all figures.

mod collisions;
