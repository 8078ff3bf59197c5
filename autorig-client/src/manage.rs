//! What is done with a task that exists, and API keys.

use reqwest::{Method, StatusCode, Url};
use serde::{Deserialize, Serialize};

use crate::{
    Client, Created, Error, Result, Task, TaskOptions,
    client::{json, refusal},
};

/// One line of a task's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// The event's id.
    pub id: u64,
    /// When, RFC 3339.
    pub at: String,
    /// The event's name.
    pub event: String,
    /// What happened, in words.
    pub text: String,
}

/// What has happened to a task, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskLog {
    /// The task.
    pub task_id: String,
    /// What happened.
    pub lines: Vec<LogLine>,
}

/// What people see of a task; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TaskEdit {
    /// `public`, `unlisted` or `private`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
}

/// What a new API key is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewKey {
    /// What to call it.
    pub name: String,
    /// What it may be used for, `tasks:read`; the server's usual ones when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// A key that never spends.
    pub test: bool,
    /// From then on it is of no use, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Admins only: whose key it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// An API key, without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// How it begins.
    pub hint: String,
    /// It never spends.
    #[serde(default)]
    pub test: bool,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// Whose it is.
    #[serde(default)]
    pub user: String,
    /// When it was made, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When it was last used, RFC 3339.
    #[serde(default)]
    pub last_used_at: Option<String>,
    /// From then on it is of no use, RFC 3339.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// When it was revoked, RFC 3339.
    #[serde(default)]
    pub revoked_at: Option<String>,
}

/// A key that was just made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeKey {
    /// The key itself; it cannot be asked for again.
    pub key: String,
    /// What is kept of it.
    pub api_key: ApiKey,
}

/// Somebody with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id.
    pub id: String,
    /// May do everything.
    #[serde(default)]
    pub is_admin: bool,
}

/// Whom the server takes this client for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// It is somebody with a name.
    pub authenticated: bool,
    /// Who.
    #[serde(default)]
    pub user: Option<User>,
    /// `local`, `session`, `key` or `nobody`.
    #[serde(default)]
    pub via: String,
    /// What the key may be used for; `None` where no key limits the caller.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct KeyList {
    items: Vec<ApiKey>,
}

impl Client {
    /// Begins a task anew under its id. Not repeated by itself: a second restart would find another state.
    ///
    /// # Errors
    /// The server's refusal (too soon, not restartable), or no connection.
    pub async fn restart(&self, task_id: &str) -> Result<Task> {
        self.once(Method::POST, self.task_url(task_id, &["restart"])?, &()).await
    }

    /// A new task with the input of one there is; options that are given replace its own. Repeated under the same
    /// idempotency key, so that it is made once.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn another(
        &self,
        task_id: &str,
        options: &TaskOptions,
        idempotency_key: Option<&str>,
    ) -> Result<Created> {
        let key = idempotency_key.map_or_else(|| self.fresh_key(), str::to_owned);
        let url = self.task_url(task_id, &["retry"])?;
        let answer = self
            .send(async || {
                let request = self.request(Method::POST, url.clone()).header("Idempotency-Key", &key);
                Ok(request.json(options))
            })
            .await?;
        json(answer).await
    }

    /// Changes what people see of a task.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn edit(&self, task_id: &str, edit: &TaskEdit) -> Result<Task> {
        let url = self.task_url(task_id, &[])?;
        json(self.send(async || Ok(self.request(Method::PATCH, url.clone()).json(edit))).await?).await
    }

    /// Removes a task with everything it has made.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn delete(&self, task_id: &str) -> Result<()> {
        let url = self.task_url(task_id, &[])?;
        self.send(async || Ok(self.request(Method::DELETE, url.clone()))).await.map(drop)
    }

    /// What has happened to a task; the last `tail` lines when a number is given.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn log(&self, task_id: &str, tail: Option<u32>) -> Result<TaskLog> {
        let mut url = self.task_url(task_id, &["progress_log"])?;
        if let Some(tail) = tail {
            url.query_pairs_mut().append_pair("tail", &tail.to_string());
        }
        self.get_json(url).await
    }

    /// Whom the server takes this client for.
    ///
    /// # Errors
    /// The server's refusal (the key is wrong), or no connection.
    pub async fn me(&self) -> Result<Me> {
        self.get_json(self.url(&["auth", "me"])?).await
    }

    /// The caller's API keys, newest first; an admin gets everyone's.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn keys(&self) -> Result<Vec<ApiKey>> {
        let list: KeyList = self.get_json(self.url(&["api", "keys"])?).await?;
        Ok(list.items)
    }

    /// Makes an API key. Not repeated by itself: a key whose answer is lost would stay behind.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn create_key(&self, key: &NewKey) -> Result<MadeKey> {
        self.once(Method::POST, self.url(&["api", "keys"])?, key).await
    }

    /// Takes a key back at once.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn revoke_key(&self, id: &str) -> Result<()> {
        let url = self.key_url(id, &[])?;
        self.send(async || Ok(self.request(Method::DELETE, url.clone()))).await.map(drop)
    }

    /// Makes a new key in place of one, which opens for `overlap_seconds` more (a day by default). Not repeated by
    /// itself, as [`Client::create_key`].
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn rotate_key(&self, id: &str, overlap_seconds: Option<u64>) -> Result<MadeKey> {
        #[derive(Serialize)]
        struct Rotate {
            #[serde(skip_serializing_if = "Option::is_none")]
            overlap_seconds: Option<u64>,
        }
        self.once(Method::POST, self.key_url(id, &["rotate"])?, &Rotate { overlap_seconds }).await
    }

    /// Uses a site's one-time admin link to make an API key, as the browser that opens it would.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`] when it is no admin link; the server's refusal (it was used, or has expired); no connection.
    pub async fn key_by_admin_link(&self, link: &str, key: &NewKey) -> Result<MadeKey> {
        let wrong = || Error::InvalidUrl {
            url: self.base().to_string(),
            message: "what was given is no admin link: it has no `?token=`".to_owned(),
        };
        let token = link.split_once("token=").map(|(_, token)| token.trim()).ok_or_else(wrong)?;
        let request = self.without_redirects()?.post(self.url(&["auth", "admin"])?).form(&[("token", token)]);
        let answer = request.send().await?;
        if answer.status() != StatusCode::SEE_OTHER {
            return Err(refusal(answer).await);
        }
        let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).ok_or_else(wrong)?.to_owned();
        let page = |request: reqwest::RequestBuilder| {
            // A cookie changes something for pages of the site only, so this says that it is one.
            request.header("cookie", &cookie).header("sec-fetch-site", "same-origin")
        };
        let made = page(self.request(Method::POST, self.url(&["api", "keys"])?)).json(key).send().await?;
        let made = if made.status().is_success() { json(made).await } else { Err(refusal(made).await) };
        let out = page(self.request(Method::POST, self.url(&["auth", "logout"])?)).send().await;
        // The key counts; a session that could not be ended ends by itself.
        drop(out);
        made
    }

    fn key_url(&self, id: &str, rest: &[&str]) -> Result<Url> {
        if matches!(id, "" | "." | "..") {
            return Err(Error::InvalidUrl { url: id.to_owned(), message: "it is no key's id".to_owned() });
        }
        self.url(&[&["api", "keys", id], rest].concat())
    }

    /// A call that must not be repeated.
    async fn once<T: for<'de> Deserialize<'de>>(
        &self,
        method: Method,
        url: Url,
        body: &impl Serialize,
    ) -> Result<T> {
        let answer = self.request(method, url).json(body).send().await?;
        if answer.status().is_success() { json(answer).await } else { Err(refusal(answer).await) }
    }
}
