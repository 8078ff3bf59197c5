//! What another service's failure means for retries and credits, from its status and its words (`spec.md` §5).
//!
//! Providers say the same thing in many ways, so the patterns are data; a worker's configuration may put its
//! own before them.

use std::borrow::Cow;

use crate::Class;

/// One way of saying something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Found anywhere in the words, whatever the case.
    pub contains: Cow<'static, str>,
    /// What it means.
    pub class: Class,
    /// Stable code for programs.
    pub code: Cow<'static, str>,
    /// What the user can do.
    pub remedy: Cow<'static, str>,
}

/// A failure that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// Decides about retries and credits.
    pub class: Class,
    /// Stable code.
    pub code: Cow<'static, str>,
    /// What the user can do.
    pub remedy: Cow<'static, str>,
}

const LATER: &str = "it is tried again by itself";
const SUPPORT: &str = "this is not your fault; write to the support of this service";

const fn pattern(contains: &'static str, class: Class, code: &'static str, remedy: &'static str) -> Pattern {
    Pattern {
        contains: Cow::Borrowed(contains),
        class,
        code: Cow::Borrowed(code),
        remedy: Cow::Borrowed(remedy),
    }
}

/// The usual patterns; the first that is found counts.
pub const PATTERNS: &[Pattern] = &[
    pattern(
        "image quality too low",
        Class::UserViolation,
        "image_too_dark",
        "send a lighter, sharper picture",
    ),
    pattern(
        "no product detected",
        Class::UserViolation,
        "product_not_visible",
        "send a picture that shows the product",
    ),
    pattern(
        "image too small",
        Class::UserViolation,
        "image_too_small",
        "send a picture that shows it larger",
    ),
    pattern("insufficient", Class::Billing, "provider_billing", SUPPORT),
    pattern("quota", Class::Billing, "provider_billing", SUPPORT),
    pattern("timeout", Class::Temporary, "provider_unavailable", LATER),
    pattern("timed out", Class::Temporary, "provider_unavailable", LATER),
    pattern("api is busy", Class::Temporary, "provider_unavailable", LATER),
];

/// What a failure means: the status where it leaves no doubt, then the words by `own` patterns and by
/// [`PATTERNS`], then the rest of the status.
pub fn meaning(status: Option<u16>, words: &str, own: &[Pattern]) -> Meaning {
    let plain =
        |class, code, remedy| Meaning { class, code: Cow::Borrowed(code), remedy: Cow::Borrowed(remedy) };
    match status {
        Some(402) => return plain(Class::Billing, "provider_billing", SUPPORT),
        Some(429) => return plain(Class::RateLimit, "provider_rate_limit", LATER),
        _ => {}
    }
    let words = words.to_lowercase();
    if let Some(found) =
        own.iter().chain(PATTERNS).find(|pattern| words.contains(&pattern.contains.to_lowercase()))
    {
        return Meaning { class: found.class, code: found.code.clone(), remedy: found.remedy.clone() };
    }
    match status {
        Some(408 | 425 | 500..=599) | None => plain(Class::Temporary, "provider_unavailable", LATER),
        _ => plain(Class::Unknown, "provider_failed", LATER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_statuses_mean_what_the_specification_says() {
        for (status, words, class) in [
            (None, "connection refused", Class::Temporary),
            (Some(500), "", Class::Temporary),
            (Some(502), "bad gateway", Class::Temporary),
            (Some(503), "", Class::Temporary),
            (Some(408), "", Class::Temporary),
            (Some(429), "insufficient quota", Class::RateLimit),
            (Some(402), "pay", Class::Billing),
            (Some(400), "Insufficient credits", Class::Billing),
            (Some(403), "your QUOTA is used up", Class::Billing),
            (Some(400), "The API is busy, try later", Class::Temporary),
            (Some(200), "upstream timeout", Class::Temporary),
            (Some(200), "Image quality too low", Class::UserViolation),
            (Some(200), "no product detected", Class::UserViolation),
            (Some(422), "image too small", Class::UserViolation),
            (Some(400), "nobody knows", Class::Unknown),
            (Some(200), "nobody knows", Class::Unknown),
        ] {
            assert_eq!(meaning(status, words, &[]).class, class, "{status:?} {words}");
        }
    }

    #[test]
    fn ones_own_patterns_come_first() {
        let own = [pattern("timeout of the heart", Class::UserViolation, "own", "rest")];
        assert_eq!(meaning(None, "Timeout of the heart", &own).code, "own");
        assert_eq!(meaning(None, "timeout", &own).class, Class::Temporary);
    }
}
