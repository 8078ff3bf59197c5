//! The admin link: opened in a browser it shows one button, and the button signs the browser in as the admin.
//!
//! Two steps, because programs that look at links (mail scanners, chat previews) open them, but press nothing.

use autorig_core::account::AccountService;
use poem::{
    Request, Response,
    http::{Method, StatusCode, header},
};

use crate::{
    access::COOKIE,
    middleware::headers::CSP_PAGE,
    problem::Problem,
    site::{Site, is_loopback_host},
    upload::read_text,
};

/// Where the link leads.
pub(crate) const PATH: &str = "/auth/admin";

/// Answers the admin link.
pub(crate) struct SignIn {
    pub(crate) site: Site,
    pub(crate) accounts: AccountService,
}

impl SignIn {
    pub(crate) async fn answer(&self, mut req: Request) -> Result<Response, Problem> {
        if matches!(*req.method(), Method::GET | Method::HEAD) {
            let token = field(req.uri().query().unwrap_or_default());
            return Ok(page(&token));
        }
        if *req.method() != Method::POST {
            let problem = Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this path does not answer to this method",
                "use a method listed in the Allow header",
            );
            return Err(problem.header(header::ALLOW, "GET, HEAD, POST"));
        }
        let host = req.headers().get(header::HOST).and_then(|value| value.to_str().ok());
        // The operator may come by the loopback name, without TLS.
        let secure = self.site.is_secure() && !host.is_some_and(is_loopback_host);
        let token = field(&read_text(req.take_body()).await?);
        let (cookie, session) = self.accounts.use_admin_link(&token).await?;
        tracing::warn!("somebody has used the admin link and is signed in as the admin");
        let life = (session.expires_at - session.created_at).num_seconds();
        let secure = if secure { "; Secure" } else { "" };
        let cookie =
            format!("{COOKIE}={}; Path=/; Max-Age={life}; HttpOnly; SameSite=Lax{secure}", cookie.reveal());
        Ok(Response::builder()
            .status(StatusCode::SEE_OTHER)
            .header(header::LOCATION, "/")
            .header(header::SET_COOKIE, cookie)
            .header(header::CACHE_CONTROL, "no-store")
            .finish())
    }
}

/// The field `token` of a query or a form; a token has nothing in it that would be encoded.
fn field(text: &str) -> String {
    let found = text.split('&').find_map(|pair| pair.strip_prefix("token="));
    found.unwrap_or_default().chars().filter(char::is_ascii_hexdigit).collect()
}

/// The button. The token has hexadecimal digits only, so it needs no escaping.
fn page(token: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>AutoRig: become the admin</title>\n</head>\n<body>\n<main>\n<h1>Become the admin of this site</h1>\n\
         <p>This link works once. This browser will be signed in for 30 days.</p>\n\
         <form method=\"post\" action=\"{PATH}\">\n<input type=\"hidden\" name=\"token\" value=\"{token}\">\n\
         <button>Sign in as the admin</button>\n</form>\n</main>\n</body>\n</html>\n"
    );
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_SECURITY_POLICY, CSP_PAGE)
        .header(header::REFERRER_POLICY, "no-referrer")
        .body(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_and_brings_nothing_else_along() {
        assert_eq!(field("a=1&token=0af9&b=2"), "0af9");
        assert_eq!(field("token=%3Cscript%3E\"><b>"), "3Cc3Eb");
        assert_eq!(field(""), "");
    }
}
