//! Reads, checks and batches 28x28 garment images: npz, IDX, PNG folders and a built-in sample
