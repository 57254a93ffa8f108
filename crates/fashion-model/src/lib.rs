//! The networks as dfdx modules with compile-time shapes, and their weights in safetensors
