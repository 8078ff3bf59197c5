//! `login`, `task …` and `keys …` against a real server process.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    glb::assert_rigged,
    service::Service,
    shell::{arg, assert_refused, autorig, code, envelope, folder_with_hero, names, stderr, stdout},
};

const SITE: &str = "https://rig.example.org";

/// A server and somebody with a home of their own.
struct World {
    folder: TempDir,
    service: Service,
}

impl World {
    fn local() -> Self {
        let (folder, _) = folder_with_hero();
        let service = Service::start(&folder.path().join("data"));
        Self { folder, service }
    }

    fn site() -> Self {
        let (folder, _) = folder_with_hero();
        let service = Service::start_with(&folder.path().join("data"), &[("AUTORIG_PUBLIC_URL", SITE)]);
        Self { folder, service }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the command as somebody whose configuration is in `home`.
    fn run_as(&self, home: &str, arguments: &[&str], stdin: &str) -> Output {
        let mut command = autorig(arguments);
        for variable in ["AUTORIG_SERVER", "AUTORIG_API_KEY"] {
            command.env_remove(variable);
        }
        command.env("XDG_CONFIG_HOME", self.path(home)).write_stdin(stdin).output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_as("home", arguments, "")
    }

    /// A call that goes well; what it gave.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        stdout(&output).trim_end().to_owned()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert_eq!(stderr(&output), "");
        envelope(&output)["result"].take()
    }

    /// The login that was kept.
    fn kept(&self) -> String {
        fs::read_to_string(self.path("home/autorig/credentials.json")).unwrap()
    }
}

#[test]
fn a_model_is_sent_followed_fetched_made_again_and_removed() {
    let world = World::local();
    world.ok(&["login", "--server", world.service.url()]);
    let hero = world.path("hero.glb");
    let id = world.ok(&["task", "create", arg(&hero), "--mode", "rig_only", "--visibility", "private"]);
    assert_eq!(id.lines().count(), 1);
    let heard = world.ok(&["task", "events", &id]);
    assert!(
        heard.contains("stage  skin") && heard.lines().last().unwrap().ends_with("done  done"),
        "{heard}"
    );
    let shown = world.ok(&["task", "wait", &id]);
    assert!(shown.contains("status     done 100 %") && shown.contains("rigged_glb"), "{shown}");
    let task = world.json(&["task", "show", &id]);
    assert_eq!((&task["status"], &task["visibility"]), (&"done".into(), &"private".into()));

    let out = world.path("out");
    world.ok(&["task", "download", &id, "-o", arg(&out)]);
    assert_eq!(names(&out), ["hero_model_prepared.glb", "hero_report.json", "hero_rigged.glb"]);
    assert_rigged(&fs::read(out.join("hero_rigged.glb")).unwrap());
    let again = world.run(&["task", "download", &id, "-o", arg(&out), "--keys", "report_json"]);
    assert_refused(&again, 2, "output_exists", "hero_report.json");
    let got = world.json(&["task", "download", &id, "-o", arg(&out), "--keys", "report_json", "--force"]);
    assert_eq!(got["files"].as_array().unwrap().len(), 1);
    let missing = world.run(&["task", "download", &id, "-o", arg(&out), "--keys", "vrm"]);
    assert_refused(&missing, 5, "file_not_found", "vrm");

    let log = world.ok(&["task", "log", &id, "--tail", "1"]);
    assert!(log.ends_with("done") && log.lines().count() == 1, "{log}");
    let second = world.ok(&["task", "retry", &id, "--influences", "2"]);
    assert_ne!(second, id);
    assert_eq!(world.json(&["task", "wait", &second])["status"], "done");
    let list = world.ok(&["task", "list"]);
    assert!(list.lines().next().unwrap().starts_with(&second) && list.contains(&id), "{list}");
    assert_eq!(world.json(&["task", "edit", &id, "--visibility", "public"])["visibility"], "public");
    world.ok(&["task", "delete", &id]);
    assert_refused(&world.run(&["task", "show", &id]), 5, "task_not_found", &id);
}

#[test]
fn what_is_no_character_fails_with_the_exit_code_of_its_kind() {
    let world = World::local();
    let (server, broken) = (world.service.url(), world.path("broken.obj"));
    fs::write(&broken, "v 0 0 0\nv 1 0 0\n").unwrap();
    let id = world.ok(&["task", "--server", server, "create", arg(&broken)]);
    assert_refused(&world.run(&["task", "wait", &id, "--server", server]), 3, "no_geometry", "");
    assert_eq!(code(&world.run(&["task", "events", &id, "--server", server])), 3);
    assert_refused(&world.run(&["task", "restart", &id, "--server", "http://127.0.0.1:1"]), 7, "network", "");
    let anew = world.json(&["task", "restart", &id, "--server", server]);
    assert!(anew["status"] == "created" || anew["status"] == "processing", "{anew}");
    let nothing = world.run(&["task", "create", arg(&world.path("none.glb")), "--server", server]);
    assert_refused(&nothing, 5, "file_not_found", "none.glb");
    let done = world.run(&["task", "cancel", "00000000-0000-7000-8000-000000000000", "--server", server]);
    assert_refused(&done, 5, "task_not_found", "");
}

#[test]
fn the_admin_link_makes_a_key_that_is_kept_for_nobody_else_to_read() {
    let world = World::site();
    let link = world.service.admin_link();
    world.ok(&["login", "--admin-link", &link]);
    let path = world.path("home/autorig/credentials.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(world.kept().contains("ark_live_") && world.kept().contains(world.service.url()));
    let again = world.run_as("other", &["login", "--admin-link", &link], "");
    assert_refused(&again, 6, "admin_link_invalid", "");

    let key =
        world.ok(&["keys", "create", "build server", "--user", "acme", "--scopes", "tasks:read,tasks:write"]);
    assert!(key.starts_with("ark_live_") && key.lines().count() == 1);
    let listed = world.ok(&["keys", "list"]);
    assert!(listed.contains("build server") && listed.contains("acme") && !listed.contains(&key), "{listed}");

    // Somebody else with that key, from standard input.
    let server = world.service.url();
    let login = world.run_as("acme", &["login", "--server", server], &format!("{key}\n"));
    assert_eq!(code(&login), 0, "{}", stderr(&login));
    assert!(stderr(&login).contains("as acme") && !stderr(&login).contains(&key));
    let hero = world.path("hero.glb");
    let made = world.run_as("acme", &["task", "create", arg(&hero), "--mode", "rig_only"], "");
    let id = stdout(&made).trim().to_owned();
    let fetched = world.run_as("acme", &["task", "wait", &id], "");
    assert_eq!(code(&fetched), 0, "{}", stderr(&fetched));
    let denied = world.run_as("acme", &["task", "download", &id, "-o", arg(&world.path("out"))], "");
    assert_refused(&denied, 6, "scope_missing", "");
    assert_refused(&world.run_as("acme", &["keys", "list"], ""), 6, "key_not_enough", "");

    let keys = world.json(&["keys", "list"]);
    let old = keys["items"].as_array().unwrap().iter().find(|key| key["user"] == "acme").unwrap();
    let rotated = world.json(&["keys", "rotate", old["id"].as_str().unwrap(), "--overlap", "0"]);
    assert_refused(&world.run_as("acme", &["task", "list"], ""), 6, "invalid_api_key", "");
    world.ok(&["keys", "revoke", rotated["api_key"]["id"].as_str().unwrap()]);
    assert_refused(&world.run(&["keys", "revoke", "x"]), 5, "key_not_found", "");
}

#[test]
fn a_site_takes_no_login_without_a_good_key_and_keeps_nothing() {
    let world = World::site();
    let server = world.service.url();
    assert_refused(&world.run(&["login", "--server", server]), 2, "key_missing", "");
    let wrong = world.run(&["login", "--server", server, "--key", "ark_live_0"]);
    assert_refused(&wrong, 6, "invalid_api_key", "");
    assert!(!Path::new(&world.path("home/autorig/credentials.json")).exists());
    let hero = world.path("hero.glb");
    let stranger = world.run(&["task", "--server", server, "create", arg(&hero)]);
    assert_refused(&stranger, 6, "sign_in_required", "hero.glb");
    assert_refused(&world.run(&["login", "--forget", "--server", server]), 5, "not_logged_in", "");
}

#[test]
fn a_kept_key_is_sent_to_its_own_server_only_and_can_be_forgotten() {
    let world = World::site();
    world.ok(&["login", "--admin-link", &world.service.admin_link()]);
    let other = Service::start_with(&world.path("other"), &[("AUTORIG_PUBLIC_URL", SITE)]);
    assert_refused(&world.run(&["task", "list", "--server", other.url()]), 6, "sign_in_required", "");
    world.ok(&["task", "list"]);
    world.ok(&["login", "--forget"]);
    assert!(!world.kept().contains("ark_"));
}

#[test]
fn a_site_is_not_opened_to_others_before_it_has_an_admin() {
    let (folder, _) = folder_with_hero();
    let data = folder.path().join("data");
    let mut command = autorig(&["serve", "--listen", "0.0.0.0:0", "--data", arg(&data)]);
    let output = command.env("AUTORIG_PUBLIC_URL", SITE).output().unwrap();
    assert_refused(&output, 6, "admin_link_unused", "0.0.0.0");
}
