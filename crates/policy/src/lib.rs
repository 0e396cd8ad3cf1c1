//! What Kubernetes policies mean.
