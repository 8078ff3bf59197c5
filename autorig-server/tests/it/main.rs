//! Behaviour of the server, told through the real one: SQLite and files in a folder of its own, a worker in the
//! same process, HTTP over a loopback port.

#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing has failed, in helpers as well")]
#![expect(unreachable_pub, reason = "everything here is one test binary")]

mod bad_input;
mod contract;
mod converters;
mod create;
mod events;
mod files;
mod guard;
mod links;
mod manage;
mod openapi;
mod pages;
mod rig;
mod site;
mod support;
mod tasks;
mod uploads;
mod whole;
mod workers;
