//! Links over samples: recordings here, the real SoapySDR library where the feature `soapy` is on.

mod program;

use program::{command, error_line, sememe, succeeded};
use std::path::Path;

/// The experiment of `examples`, with fewer users and images.
fn experiment(more: &str) -> tempfile::TempDir {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/experiments/over-the-air.toml"
    ));
    let text = text.unwrap().replace("images = 100", "images = 50");
    program::folder_with(&format!("{text}{more}"))
}

/// The number behind a word.
fn number(text: &str, word: &str) -> f64 {
    let rest = text.split_once(word).unwrap_or_else(|| panic!("no {word} in {text}")).1;
    let end = |c: char| !(c.is_ascii_digit() || c == '.' || c == '-');
    rest.trim_start().split(end).next().unwrap().parse().unwrap()
}

/// Mean PSNR of a link in a simulation of symbols.
fn simulated(folder: &Path, link: &str) -> f64 {
    succeeded(sememe(folder, &["run", "a.toml", "--out", "sim", "--force", "--set", "output.plots=false"]));
    let table = std::fs::read_to_string(folder.join("sim/results.csv")).unwrap();
    let mut lines = table.lines();
    let place = lines.next().unwrap().split(',').position(|name| name == "psnr_db").unwrap();
    let row = lines.find(|line| line.contains(link)).unwrap();
    row.split(',').nth(place).unwrap().parse().unwrap()
}

#[test]
fn every_link_passes_through_a_recording_and_each_user_is_a_receiver() {
    let dir = experiment("");
    for (link, bursts) in [("group-splitting", 60), ("private-only", 50), ("jpeg-ldpc", 50)] {
        let sent =
            succeeded(sememe(dir.path(), &["transmit", "a.toml", "--to", link, "--link", link, "--quiet"]));
        assert!(sent.starts_with(&format!("1 frames in {bursts} bursts")), "{sent}");
        let receive = |more: &[&str]| {
            let mut arguments =
                vec!["receive", "a.toml", "--from", link, "--link", link, "--quiet", "--force"];
            arguments.extend(more);
            succeeded(sememe(dir.path(), &arguments))
        };
        let all = receive(&["--originals", "--out", "all"]);
        assert!(all.contains("50 images, of which nothing was heard: 0"), "{link}: {all}");
        let psnr = number(&all, "PSNR");
        assert!(psnr > if link == "jpeg-ldpc" { 29.0 } else { 34.0 }, "{link}: {all}");
        // One user alone decodes the same image, without knowing the originals.
        receive(&["--user", "7", "--out", "one"]);
        let name = "frame-000000-user-007.png";
        let read = |folder: &str| image::open(dir.path().join(folder).join(name)).unwrap().to_rgb8();
        let differ = read("all").iter().zip(read("one").iter()).filter(|(a, b)| a.abs_diff(**b) > 1).count();
        assert_eq!(differ, 0, "{link}");
        assert_eq!(std::fs::read_dir(dir.path().join("one")).unwrap().count(), 3);
    }
}

#[test]
fn what_users_do_wrong_gets_one_line() {
    let dir = experiment("");
    let refused = |arguments: &[&str]| error_line(&sememe(dir.path(), arguments));
    let error = refused(&["receive", "a.toml", "--from", "nowhere", "--originals"]);
    assert!(error.contains("nowhere"), "{error}");
    let error = refused(&["receive", "a.toml", "--from", "nowhere", "--user", "50"]);
    assert!(error.contains("--user 50: allowed is 0 to 49"), "{error}");
    let error = refused(&["transmit", "a.toml", "--to", "x", "--link", "webp"]);
    assert!(error.contains("webp") && error.contains("group-splitting, private-only, jpeg-ldpc"), "{error}");
    let error = refused(&["transmit", "a.toml", "--to", "x", "--set", "air.numerology=\"lte\""]);
    assert!(error.contains("air.numerology") && error.contains("narrow, wlan, wide"), "{error}");
    let error = refused(&[
        "transmit",
        "a.toml",
        "--to",
        "x",
        "--link",
        "jpeg-ldpc",
        "--set",
        "link.2.mcs=\"qpsk-1/2\"",
    ]);
    assert!(error.contains("qpsk-1/2 is not possible") && error.contains("qpsk-449/1024"), "{error}");
    let error = refused(&["transmit", "a.toml", "--to", "x", "--set", "air.transmit.gian_db=3"]);
    assert!(error.contains("gian_db"), "{error}");
    succeeded(sememe(dir.path(), &["transmit", "a.toml", "--to", "x", "--quiet"]));
    let error = refused(&["transmit", "a.toml", "--to", "x", "--quiet"]);
    assert!(error.contains("x.sigmf"), "nothing is overwritten: {error}");
    let other = refused(&["receive", "a.toml", "--from", "x", "--set", "air.numerology=\"wide\""]);
    assert!(other.contains("recorded at 1000000"), "{other}");
    // Another SNR makes another code: bursts are counted as those of others.
    let text = succeeded(sememe(
        dir.path(),
        &["receive", "a.toml", "--from", "x", "--quiet", "--set", "snr_db=[3]"],
    ));
    assert!(text.contains("60 of others") && text.contains("hint"), "{text}");
}

#[cfg(feature = "soapy")]
mod radio {
    use super::*;
    use std::process::{Command, Output, Stdio};
    use std::sync::OnceLock;

    /// The loopback driver, built once.
    fn modules() -> &'static Path {
        static MODULES: OnceLock<std::path::PathBuf> = OnceLock::new();
        MODULES.get_or_init(|| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("loopback");
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hw/loopback/build.sh");
            let status = Command::new(script).arg(&folder).status().unwrap();
            assert!(status.success(), "the loopback driver needs g++ and libsoapysdr-dev");
            folder
        })
    }

    fn with_driver(folder: &Path, arguments: &[&str]) -> Command {
        let mut command = command(folder, arguments);
        command.env("SOAPY_SDR_PLUGIN_PATH", modules()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A receiver and then a transmitter of the same air.
    fn over(
        folder: &Path,
        air: &str,
        channel: &str,
        link: &str,
        receive: &[&str],
        transmit: &[&str],
    ) -> [Output; 2] {
        let driver = format!("driver=sememe_loopback,air={air}-{},pace=free", std::process::id());
        let from = format!("{driver},{channel}");
        let mut arguments =
            vec!["receive", "a.toml", "--from", &from, "--link", link, "--originals", "--force", "--quiet"];
        arguments.extend(["--frequency", "2.45e9", "--gain", "0", "--seconds", "100"]);
        arguments.extend(receive);
        let receiver = with_driver(folder, &arguments).spawn().unwrap();
        let mut arguments = vec!["transmit", "a.toml", "--to", &driver, "--link", link, "--quiet"];
        arguments.extend(["--frequency", "2.45e9", "--gain", "0"]);
        arguments.extend(transmit);
        let sent = with_driver(folder, &arguments).output().unwrap();
        [receiver.wait_with_output().unwrap(), sent]
    }

    /// Noise for 12 dB per carrier, where the level is -12 dB for a share of carriers.
    fn noise_at_12_db(share: f64) -> String {
        format!("noise={:.6}", 10f64.powf(-1.2) / share * 10f64.powf(-1.2))
    }

    #[test]
    fn the_loopback_device_is_within_half_a_decibel_of_the_simulation() {
        let dir = experiment("");
        for (preset, link) in [
            ("narrow", "group-splitting"),
            ("narrow", "private-only"),
            ("narrow", "jpeg-ldpc"),
            ("wide", "group-splitting"),
        ] {
            let expected = simulated(dir.path(), link);
            let share = if preset == "wide" { 840.0 / 1024.0 } else { 40.0 / 64.0 };
            let channel = format!("delay=777,cfo_hz=31000,seed=3,{}", noise_at_12_db(share));
            let numerology = format!("air.numerology=\"{preset}\"");
            let set = ["--set", &numerology];
            let receive = [&["--frames", "1"][..], &set].concat();
            let air = format!("{preset}-{link}");
            let [received, sent] = over(dir.path(), &air, &channel, link, &receive, &set);
            let (received, sent) = (succeeded(received), succeeded(sent));
            assert!(received.contains("nothing was heard: 0"), "{received}{sent}");
            let psnr = number(&received, "PSNR");
            assert!((psnr - expected).abs() < 0.5, "{air}: {psnr} dB, simulated {expected} dB");
            assert!((number(&received, "; SNR") - 12.0).abs() < 0.3, "{received}");
        }
    }

    #[test]
    fn nothing_is_sent_without_frequency_and_gain_and_devices_are_listed() {
        let dir = experiment("");
        let output =
            with_driver(dir.path(), &["transmit", "a.toml", "--to", "driver=sememe_loopback"]).output();
        let error = error_line(&output.unwrap());
        assert!(error.contains("explicit frequency_hz"), "{error}");
        let output = with_driver(dir.path(), &["receive", "a.toml", "--from", "driver=nothing"]).output();
        let error = error_line(&output.unwrap());
        assert!(
            error.contains("no driver nothing is installed") && error.contains("sememe_loopback"),
            "{error}"
        );
        let listed = succeeded(with_driver(dir.path(), &["devices"]).output().unwrap());
        assert!(listed.contains("device      driver=sememe_loopback"), "{listed}");
    }

    #[test]
    fn a_recording_is_sent_and_what_is_heard_is_recorded() {
        let dir = experiment("");
        succeeded(sememe(dir.path(), &["transmit", "a.toml", "--to", "sent", "--quiet"]));
        let driver = format!("driver=sememe_loopback,air=replay-{},pace=free", std::process::id());
        let receive = ["receive", "a.toml", "--from", &driver, "--originals", "--quiet", "--record", "heard"];
        let until = ["--frequency", "1e9", "--gain", "0", "--frames", "1", "--seconds", "100"];
        let receiver = with_driver(dir.path(), &[&receive[..], &until].concat()).spawn().unwrap();
        let replay = ["replay", "sent", "--to", &driver, "--frequency", "1e9", "--gain", "0"];
        succeeded(with_driver(dir.path(), &replay).output().unwrap());
        let text = succeeded(receiver.wait_with_output().unwrap());
        assert!(text.contains("50 images, of which nothing was heard: 0"), "{text}");
        let again = ["receive", "a.toml", "--from", "heard", "--originals", "--quiet", "--out", "again"];
        let text = succeeded(sememe(dir.path(), &again));
        assert!(text.contains("50 images, of which nothing was heard: 0"), "{text}");
        let marks = std::fs::read_to_string(dir.path().join("heard.sigmf-meta")).unwrap();
        assert_eq!(marks.matches("\"burst\"").count(), 60, "every burst is marked");
    }
}

#[cfg(feature = "zeromq")]
#[test]
fn a_socket_stands_between_both_ends() {
    let dir = experiment("");
    let socket = dir.path().join("air").display().to_string();
    let (from, to) = (format!("zmq+pull+ipc://{socket}"), format!("zmq+push+ipc://{socket}"));
    let receive =
        ["receive", "a.toml", "--from", &from, "--originals", "--quiet", "--frames", "1", "--seconds", "60"];
    let receiver = command(dir.path(), &receive).stdout(std::process::Stdio::piped()).spawn().unwrap();
    succeeded(sememe(dir.path(), &["transmit", "a.toml", "--to", &to, "--quiet"]));
    let text = succeeded(receiver.wait_with_output().unwrap());
    assert!(text.contains("50 images, of which nothing was heard: 0"), "{text}");
}
