//! OCI image values: descriptors, manifests, indexes, configurations (OCI image-spec 1.1).
