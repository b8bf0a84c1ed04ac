//! Sockets of the ZeroMQ library, opened as settings say.

use super::settings::{Attachment, Pattern, ZmqSettings};
use crate::{HwError, Result};

/// Opens a socket, alone in its context: dropping it waits until what was sent has left, or the time to send is over.
pub(super) fn open(settings: &ZmqSettings) -> Result<zmq::Socket> {
    let kind = match settings.pattern {
        Pattern::Sub => zmq::SUB,
        Pattern::Pull => zmq::PULL,
        Pattern::Pub => zmq::PUB,
        Pattern::Push => zmq::PUSH,
    };
    let endpoint = settings.endpoint.as_str();
    let opened = || -> zmq::Result<zmq::Socket> {
        let socket = zmq::Context::new().socket(kind)?;
        // settings.check() keeps all of these far below 2^31.
        let [mark, send_ms, read_ms] =
            [settings.high_water_mark, settings.send_timeout_ms, settings.read_timeout_ms]
                .map(|value| value as i32);
        socket.set_ipv6(endpoint.starts_with("tcp://["))?;
        socket.set_sndhwm(mark)?;
        socket.set_rcvhwm(mark)?;
        socket.set_maxmsgsize(i64::from(settings.longest_message))?;
        socket.set_linger(send_ms)?;
        socket.set_sndtimeo(send_ms)?;
        socket.set_rcvtimeo(read_ms)?;
        if settings.pattern == Pattern::Sub {
            socket.set_subscribe(settings.key.as_bytes())?;
        }
        match settings.attachment() {
            Attachment::Bind => socket.bind(endpoint)?,
            Attachment::Connect => socket.connect(endpoint)?,
        }
        Ok(socket)
    };
    opened().map_err(|error| {
        let hint = match (error, settings.attachment()) {
            (zmq::Error::EADDRINUSE, _) => {
                ": another program uses this address, choose another port or stop that one"
            }
            (zmq::Error::ENODEV | zmq::Error::EADDRNOTAVAIL, _) => {
                ": this computer has no such interface, `*` is all"
            }
            (zmq::Error::EACCES, _) => {
                ": not permitted, choose a port from 1024 on or a folder that is yours"
            }
            (_, Attachment::Bind) => ": cannot wait there, give tcp://*:PORT or ipc://PATH",
            (_, Attachment::Connect) => ": cannot connect, give tcp://HOST:PORT or ipc://PATH",
        };
        HwError::refused(endpoint, format!("{error}{hint}"))
    })
}

/// Where a socket really is, as where it chose its port.
pub(super) fn endpoint(socket: &zmq::Socket, settings: &ZmqSettings) -> String {
    let last = socket.get_last_endpoint().ok().and_then(|endpoint| endpoint.ok());
    last.unwrap_or_else(|| settings.endpoint.clone())
}
