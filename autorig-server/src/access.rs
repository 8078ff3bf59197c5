//! The gate that every call of the API passes: who calls, what the call needs, and whether the two agree.
//!
//! What each call needs is one table, [`need`]; a call that is not in it is refused, and a test says so before anybody
//! notices. The rules themselves are core's ([`autorig_core::account::access`]).

use autorig_core::{
    account::{AccountService, Caller, Credentials, Denied, Need, Scope, Via, access},
    task::{TaskId, TaskService},
};
use poem::{
    Request,
    http::{HeaderMap, Method, StatusCode, header},
};

use crate::{problem::Problem, routes::Routes, site::Site};

/// The cookie that holds a session.
pub(crate) const COOKIE: &str = "autorig_session";

/// What a call needs, by its name in the API document. `None` for a call that nobody has thought about.
pub(crate) fn need(operation: &str) -> Option<Need> {
    Some(match operation {
        "health" | "ready" | "version" | "queue_status" | "whoami" | "sign_out" => Need::Nothing,
        // The link is signed, and says by itself who may.
        "linked_input" => Need::Nothing,
        "create_task" => Need::Known(Scope::TasksWrite),
        "announce_upload" | "upload_offset" | "get_upload" | "send_upload" | "complete_upload"
        | "delete_upload" => Need::Known(Scope::TasksWrite),
        "upload_options" => Need::Nothing,
        // Whoever has the address may; it is made of what nobody can guess.
        "download_upload" => Need::Nothing,
        "list_tasks" => Need::Known(Scope::TasksRead),
        "get_task" | "get_rig" | "task_events" | "task_log" => Need::ReadTask(Scope::TasksRead),
        // Another of a task is made from its upload, which is its owner's alone.
        "cancel_task" | "restart_task" | "retry_task" | "edit_task" | "correct_rig" | "delete_task" => {
            Need::WriteTask(Scope::TasksWrite)
        }
        "download_file"
        | "download_file_by_index"
        | "download_prepared"
        | "download_model"
        | "download_animations_glb"
        | "download_animations_fbx"
        | "download_all"
        | "show_video"
        | "show_thumbnail"
        | "show_viewer" => Need::ReadTask(Scope::FilesRead),
        "lease_task" | "lease_input" | "lease_progress" | "lease_file" | "lease_complete" | "lease_fail"
        | "lease_release" => Need::Known(Scope::Worker),
        "list_keys" | "create_key" | "revoke_key" | "rotate_key" => Need::Person,
        _ => return None,
    })
}

/// Lets calls in.
pub(crate) struct Gate {
    pub(crate) site: Option<Site>,
    pub(crate) accounts: AccountService,
    pub(crate) tasks: TaskService,
    pub(crate) routes: Routes,
}

impl Gate {
    /// Who calls, if they may make this call.
    pub(crate) async fn admit(&self, req: &Request) -> Result<Caller, Problem> {
        let caller = self.caller(req).await?;
        // A path or method that no call has is answered by the router.
        let Some(call) = self.routes.call(req.method(), req.uri().path()) else { return Ok(caller) };
        let Some(need) = need(&call.operation) else {
            return Err(Problem::internal(&format!("the call {} has no rule", call.operation)));
        };
        let task = match (need, call.id.as_deref()) {
            (Need::ReadTask(_) | Need::WriteTask(_), Some(id)) => match id.parse::<TaskId>() {
                Ok(id) => self.tasks.get(id).await?,
                Err(_) => None,
            },
            _ => None,
        };
        match access::check(&caller, need, task.as_ref()) {
            Ok(()) => Ok(caller),
            // It must not differ from a task that never was.
            Err(Denied::Hidden) => Err(Problem::no_such_task(call.id.as_deref().unwrap_or_default())),
            Err(denied) => Err(autorig_core::Error::from(denied).into()),
        }
    }

    async fn caller(&self, req: &Request) -> Result<Caller, Problem> {
        let Some(site) = &self.site else { return Ok(Caller::local()) };
        let key = key_of(req.headers())?;
        let session = cookie(req.headers(), COOKIE);
        let caller = self.accounts.caller(Credentials { key, session }).await?;
        // A browser sends its cookie along whoever asks it to.
        if caller.via == Via::Session && changes(req.method()) && !site.is_own_page(req.headers()) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "origin_not_allowed",
                "a signed-in browser was asked to change something, and not by a page of this site",
                "open this site's own page; programs use an API key instead of the cookie",
            ));
        }
        Ok(caller)
    }
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The API key of a request: `Authorization: Bearer …` or `X-API-Key`.
fn key_of(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    if let Some(value) = headers.get("x-api-key") {
        return Ok(Some(value.to_str().unwrap_or_default().trim()));
    }
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let (scheme, key) = value.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Some(key.trim()));
    }
    Err(Problem::new(
        StatusCode::UNAUTHORIZED,
        "unknown_authorization",
        "the Authorization header is not of the scheme Bearer",
        "send `Authorization: Bearer ark_…`, or the key as X-API-Key",
    ))
}

/// A cookie of a request.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(known, value)| (known == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn every_call_of_the_document_has_a_rule() {
        let document: serde_json::Value = serde_json::from_str(&crate::openapi_json()).unwrap();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(need(name).is_some(), "{method} {path} ({name}) has no rule in access.rs");
            }
        }
    }

    #[test]
    fn a_key_comes_in_either_header() {
        assert_eq!(key_of(&headers(&[("authorization", "Bearer abc")])).unwrap(), Some("abc"));
        assert_eq!(key_of(&headers(&[("authorization", "bearer  abc ")])).unwrap(), Some("abc"));
        assert_eq!(key_of(&headers(&[("x-api-key", "abc")])).unwrap(), Some("abc"));
        assert_eq!(key_of(&headers(&[])).unwrap(), None);
        let basic = key_of(&headers(&[("authorization", "Basic abc")])).unwrap_err();
        assert_eq!(basic.code, "unknown_authorization");
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let cookies = headers(&[("cookie", "a=1; autorig_session=x"), ("cookie", "b=2")]);
        assert_eq!(cookie(&cookies, COOKIE), Some("x"));
        assert_eq!(cookie(&cookies, "b"), Some("2"));
        assert_eq!(cookie(&cookies, "session"), None);
    }
}
