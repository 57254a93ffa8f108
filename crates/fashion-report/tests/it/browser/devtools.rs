//! Chromium by its `DevTools` protocol, over a pipe: commands and events are JSON ended by a zero byte.
//!
//! <https://chromedevtools.github.io/devtools-protocol/>

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// How long any answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

const OPTIONS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--force-prefers-reduced-motion",
    "--remote-debugging-pipe",
];

/// Where Chromium is: what `CHROMIUM` says, or the first of its usual names in the search path.
pub(crate) fn find() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).find_map(|folder| {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
    })
}

/// A browser with one tab.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    output: Receiver<Value>,
    session: Option<String>,
    commands: u64,
    /// Errors, warnings and messages of the page, those of its content security policy too.
    pub(crate) complaints: Vec<String>,
    /// What was fetched, data URIs left out.
    pub(crate) requests: Vec<String>,
    loaded: bool,
    /// Everything that the browser keeps.
    profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn start(path: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The protocol speaks on the file descriptors 3 and 4, which the shell makes of the first two.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(path)
            .args(OPTIONS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, output) = channel();
        thread::spawn(move || {
            for message in stdout.split(0) {
                let Ok(message) = message else { break };
                let message = serde_json::from_slice(&message).unwrap();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self {
            child,
            input,
            output,
            session: None,
            commands: 0,
            complaints: Vec::new(),
            requests: Vec::new(),
            loaded: false,
            profile,
        };
        let tab = browser.command("Target.createTarget", &json!({"url": "about:blank"}));
        let tab = json!({"targetId": tab["targetId"], "flatten": true});
        let session = browser.command("Target.attachToTarget", &tab);
        browser.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.command(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Gives a command and waits for its answer.
    pub(crate) fn command(&mut self, method: &str, parameters: &Value) -> Value {
        self.commands += 1;
        let mut message = json!({"id": self.commands, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.input.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut answer = self.hear();
            if answer["id"] == self.commands {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }

    /// The next message, which is noted if it is an event.
    fn hear(&mut self) -> Value {
        let message = self.output.recv_timeout(PATIENCE).expect("the browser has gone silent");
        let parameters = &message["params"];
        match message["method"].as_str() {
            Some("Page.loadEventFired") => self.loaded = true,
            Some("Log.entryAdded" | "Runtime.exceptionThrown" | "Runtime.consoleAPICalled") => {
                self.complaints.push(parameters.to_string());
            }
            Some("Network.requestWillBeSent") => {
                let url = parameters["request"]["url"].as_str().unwrap();
                if !url.starts_with("data:") {
                    self.requests.push(url.to_owned());
                }
            }
            _ => {}
        }
        message
    }

    /// Opens a page and waits until all of it is there.
    pub(crate) fn open(&mut self, page: &str) {
        let file = self.profile.path().join("report.html");
        std::fs::write(&file, page).unwrap();
        self.loaded = false;
        self.command("Page.navigate", &json!({"url": format!("file://{}", file.display())}));
        while !self.loaded {
            self.hear();
        }
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let expression = json!({"expression": expression, "returnByValue": true});
        let mut answer = self.command("Runtime.evaluate", &expression);
        assert!(answer["exceptionDetails"].is_null(), "{answer}");
        answer["result"]["value"].take()
    }

    /// Moves the mouse onto the middle of an element, which an expression gives.
    pub(crate) fn point(&mut self, element: &str) -> (f64, f64) {
        let place = self.value(&format!(
            "(element => {{ element.scrollIntoView({{block: 'center'}}); \
             const box = element.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})({element})"
        ));
        let (x, y) = (place[0].as_f64().unwrap(), place[1].as_f64().unwrap());
        let moved = json!({"type": "mouseMoved", "x": x, "y": y});
        self.command("Input.dispatchMouseEvent", &moved);
        (x, y)
    }

    /// Clicks on it as a mouse does.
    pub(crate) fn click(&mut self, element: &str) {
        let (x, y) = self.point(element);
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.command("Input.dispatchMouseEvent", &event);
        }
    }

    /// Presses a key.
    pub(crate) fn key(&mut self, key: &str) {
        let text = if key == "Enter" { "\r" } else { "" };
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            _ => 40,
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code,
            });
            self.command("Input.dispatchKeyEvent", &event);
        }
    }

    /// Chooses an option as a person does, as far as the page can tell.
    pub(crate) fn choose(&mut self, select: &str, option: &str) {
        self.value(&format!(
            "(select => {{ select.value = '{option}'; \
             select.dispatchEvent(new Event('change', {{bubbles: true}})); }})\
             (document.querySelector('select[name={select}]'))"
        ));
    }

    /// Sets the size of the window, and what the page is shown on.
    pub(crate) fn screen(&mut self, width: u32, height: u32, media: &str, scheme: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.command("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.command("Emulation.setEmulatedMedia", &json!({"media": media, "features": scheme}));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its helpers end when it does.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
