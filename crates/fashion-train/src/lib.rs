//! Training loop, Adam, history, checkpoints and run folders
