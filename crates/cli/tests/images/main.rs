//! The images of `infra/` from the real archive, built once for all tests here and then put to every use.

mod containers;
mod devcontainer;
mod faults;
mod gone;
mod lab;
mod layers;
mod mounted;
mod outputs;
mod registry_base;
mod reproducible;
