//! What every request passes through, from the outside in: an id and a log span ([`envelope`]), the guard
//! of local mode ([`guard`]), response headers ([`headers`]) and compression ([`compress`]).

pub(crate) mod compress;
pub(crate) mod envelope;
pub(crate) mod guard;
pub(crate) mod headers;
