//! The tool as its users see it: arguments in, text, files and exit status out.

mod check;
mod cli;
mod install;
mod log;
mod probe;
mod support;
