//! Which socket, and how much it holds.

use crate::{HwError, Result};
use serde::{Deserialize, Serialize};

const ADDRESSES: &str = "zmq+KIND://HOST:PORT or zmq+KIND+ipc://PATH, where KIND is sub, pull, pub or push, then \
                         perhaps +bind or +connect; as zmq+sub://127.0.0.1:5555";

/// Which way samples go, and whether they wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// Receives from PUB.
    Sub,
    /// Receives from PUSH.
    Pull,
    /// Sends to every SUB, and drops what they are too slow for.
    Pub,
    /// Sends to one PULL after the other, and waits for them.
    Push,
}

/// Which side waits for the other at its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attachment {
    /// Waits there for others.
    Bind,
    /// Goes to where another waits.
    Connect,
}

/// Settings of a [`ZmqSource`](super::ZmqSource) or a [`ZmqSink`](super::ZmqSink).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZmqSettings {
    /// Which way samples go.
    pub pattern: Pattern,
    /// Address as ZeroMQ writes it: `tcp://host:port` or `ipc://path`; bound ones may be `tcp://*:port`.
    pub endpoint: String,
    /// Samples per second; ZeroMQ itself does not carry it.
    pub sample_rate_hz: f64,
    /// Which side waits; `None`: as in GNU Radio, where sinks bind and sources connect.
    #[serde(default)]
    pub attachment: Option<Attachment>,
    /// What messages start with (PUB and SUB only); empty: nothing, and everything is received.
    #[serde(default)]
    pub key: String,
    /// Messages that wait at most for each peer.
    #[serde(default = "default_high_water_mark")]
    pub high_water_mark: u32,
    /// Longest message that is received, in bytes; ZeroMQ cuts the connection of a peer that sends a longer one.
    #[serde(default = "default_longest_message")]
    pub longest_message: u32,
    /// Samples of one message that is sent.
    #[serde(default = "default_message_samples")]
    pub message_samples: u32,
    /// Longest wait of a read, in milliseconds.
    #[serde(default = "default_read_timeout_ms")]
    pub read_timeout_ms: u32,
    /// Longest wait for a receiver that takes nothing, in milliseconds (PUSH only), and for the end of sending.
    #[serde(default = "default_send_timeout_ms")]
    pub send_timeout_ms: u32,
}

fn default_high_water_mark() -> u32 {
    64
}

fn default_longest_message() -> u32 {
    8 << 20
}

fn default_message_samples() -> u32 {
    8192
}

fn default_read_timeout_ms() -> u32 {
    100
}

fn default_send_timeout_ms() -> u32 {
    2000
}

impl ZmqSettings {
    /// Takes an address such as `zmq+sub://127.0.0.1:5555`, `zmq+pub://*:5555`, `zmq+pull+bind://*:5555` or
    /// `zmq+push+ipc:///tmp/samples`; all else has its default.
    ///
    /// - errors: [`HwError::InvalidSetting`]
    pub fn from_address(address: &str, sample_rate_hz: f64) -> Result<Self> {
        let refused = || HwError::invalid("address", address.escape_debug(), ADDRESSES);
        let (scheme, place) = address.split_once("://").ok_or_else(refused)?;
        let mut words = scheme.split('+');
        if words.next() != Some("zmq") {
            return Err(refused());
        }
        let pattern = match words.next() {
            Some("sub") => Pattern::Sub,
            Some("pull") => Pattern::Pull,
            Some("pub") => Pattern::Pub,
            Some("push") => Pattern::Push,
            _ => return Err(refused()),
        };
        let (mut attachment, mut transport) = (None, "tcp");
        for word in words {
            match word {
                "bind" => attachment = Some(Attachment::Bind),
                "connect" => attachment = Some(Attachment::Connect),
                "tcp" | "ipc" => transport = word,
                _ => return Err(refused()),
            }
        }
        let settings = Self {
            pattern,
            endpoint: format!("{transport}://{place}"),
            sample_rate_hz,
            attachment,
            key: String::new(),
            high_water_mark: default_high_water_mark(),
            longest_message: default_longest_message(),
            message_samples: default_message_samples(),
            read_timeout_ms: default_read_timeout_ms(),
            send_timeout_ms: default_send_timeout_ms(),
        };
        settings.check()?;
        Ok(settings)
    }

    /// Which side waits.
    pub fn attachment(&self) -> Attachment {
        self.attachment.unwrap_or(match self.pattern {
            Pattern::Pub | Pattern::Push => Attachment::Bind,
            Pattern::Sub | Pattern::Pull => Attachment::Connect,
        })
    }

    /// Checks the address and all numbers.
    ///
    /// - errors: [`HwError::InvalidSetting`]
    pub fn check(&self) -> Result<()> {
        self.check_endpoint()?;
        if !(1e-6..=1e12).contains(&self.sample_rate_hz) {
            return Err(HwError::invalid("sample_rate_hz", self.sample_rate_hz, "0.000001 to 1e12 Hz"));
        }
        let has_key = matches!(self.pattern, Pattern::Pub | Pattern::Sub);
        if self.key.len() > 255 || !(has_key || self.key.is_empty()) {
            return Err(HwError::invalid(
                "key",
                self.key.escape_debug(),
                "up to 255 bytes, with PUB and SUB only",
            ));
        }
        for (name, found, low, high) in [
            ("high_water_mark", self.high_water_mark, 1, 100_000),
            ("longest_message", self.longest_message, 8, 256 << 20),
            ("message_samples", self.message_samples, 1, 1 << 20),
            ("read_timeout_ms", self.read_timeout_ms, 1, 1000),
            ("send_timeout_ms", self.send_timeout_ms, 1, 60_000),
        ] {
            if !(low..=high).contains(&found) {
                return Err(HwError::invalid(name, found, format!("{low} to {high}")));
            }
        }
        Ok(())
    }

    fn check_endpoint(&self) -> Result<()> {
        let endpoint = self.endpoint.as_str();
        let is_bound = self.attachment() == Attachment::Bind;
        let refused = |allowed: &str| Err(HwError::invalid("endpoint", endpoint.escape_debug(), allowed));
        if endpoint.contains(char::is_control) {
            return refused("an address without control characters");
        }
        if let Some(path) = endpoint.strip_prefix("ipc://") {
            // The length of a local socket's name is limited by the operating system.
            let folder = std::path::Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
            let has_folder = folder.is_none_or(|folder| folder.is_dir());
            return match (1..=100).contains(&path.len()) && (has_folder || !is_bound) {
                true => Ok(()),
                false => refused("ipc:// and a path of up to 100 bytes whose folder exists"),
            };
        }
        let parts = endpoint.strip_prefix("tcp://").and_then(|place| place.rsplit_once(':'));
        let Some((host, port)) = parts else { return refused("tcp://HOST:PORT or ipc://PATH") };
        let is_any = is_bound && port == "*";
        let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
        match !host.is_empty() && (is_bound || host != "*") && (is_any || is_port) {
            true => Ok(()),
            false if is_bound => {
                refused("tcp://INTERFACE:PORT or tcp://*:PORT to bind, with a port from 1 to 65535 or *")
            }
            false => refused("tcp://HOST:PORT to connect, with a port from 1 to 65535"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_pattern_transport_and_side() {
        let read = |address| {
            ZmqSettings::from_address(address, 1e6).map(|it| (it.pattern, it.attachment(), it.endpoint))
        };
        let (bind, connect) = (Attachment::Bind, Attachment::Connect);
        for (address, expected) in [
            ("zmq+sub://10.0.0.1:5555", (Pattern::Sub, connect, "tcp://10.0.0.1:5555")),
            ("zmq+pub://*:5555", (Pattern::Pub, bind, "tcp://*:5555")),
            ("zmq+pull+bind://*:5555", (Pattern::Pull, bind, "tcp://*:5555")),
            ("zmq+push+connect://[::1]:1", (Pattern::Push, connect, "tcp://[::1]:1")),
            ("zmq+push+ipc:///tmp/x", (Pattern::Push, bind, "ipc:///tmp/x")),
        ] {
            let (pattern, attachment, endpoint) = expected;
            assert_eq!(read(address).unwrap(), (pattern, attachment, endpoint.to_string()), "{address}");
        }
        let long = format!("zmq+sub+ipc:///{}", "x".repeat(200));
        for address in [
            "",
            "zmq",
            "tcp://a:1",
            "zmq+sub",
            "zmq+req://a:1",
            "zmq+sub+udp://a:1",
            "zmq+sub://a",
            "zmq+sub://:1",
            "zmq+sub://a:0",
            "zmq+sub://a:65536",
            "zmq+sub://*:1",
            "zmq+pub://a:-1",
            "zmq+sub://a\n:1",
            &long,
            "zmq+push+ipc:///no/such/folder/x",
        ] {
            let error = read(address).unwrap_err().to_string();
            assert!(error.contains("allowed is") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn settings_are_read_with_their_defaults_and_checked() {
        let text = r#"{"pattern": "sub", "endpoint": "tcp://a:1", "sample_rate_hz": 1e6}"#;
        let settings: ZmqSettings = serde_json::from_str(text).unwrap();
        assert_eq!(settings, ZmqSettings::from_address("zmq+sub://a:1", 1e6).unwrap());
        assert!(serde_json::from_str::<ZmqSettings>(&text.replace("pattern", "patern")).is_err());
        let wrong = ZmqSettings { high_water_mark: 0, ..settings.clone() };
        assert!(wrong.check().unwrap_err().to_string().contains("high_water_mark = 0"));
        assert!(ZmqSettings { sample_rate_hz: f64::NAN, ..settings.clone() }.check().is_err());
        let key = ZmqSettings { key: "k".into(), pattern: Pattern::Pull, ..settings };
        assert!(key.check().unwrap_err().to_string().contains("PUB and SUB"));
    }
}
