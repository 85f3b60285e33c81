//! Environment and standard input: whatever they are, there is one answer, and
//! it is one JSON document or nothing.
#![no_main]

mod call;

use antrea_cni::input::{Configuration, configuration, environment};
use antrea_cni::{Error, run};
use libfuzzer_sys::fuzz_target;

use crate::call::Call;

fuzz_target!(|data: &[u8]| {
    let call = Call::read(data);
    let variables = |name: &str| call.get(name);
    // What is accepted would go to an agent.
    if accepted(&call).is_ok_and(|to_agent| to_agent) {
        return;
    }
    let output = run(&variables, &mut &*call.stdin);
    if !output.stdout.is_empty() {
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        if output.success {
            assert!(document["supportedVersions"].is_array());
        } else {
            assert!(document["code"].as_u64().is_some_and(|code| code != 0));
            assert!(!document["msg"].as_str().unwrap().is_empty());
            assert!(document["cniVersion"].is_string());
        }
    }
});

fn accepted(call: &Call<'_>) -> Result<bool, Error> {
    let variables = |name: &str| call.get(name);
    let environment::Invocation::Command(command) = environment::invocation(&variables)? else {
        return Ok(false);
    };
    environment::cmd_args(&variables, &command)?;
    let stdin = configuration::read(&mut &*call.stdin, std::time::Instant::now())?;
    let configuration = Configuration::parse(&stdin)?;
    configuration.cni_version(command.action()?)?;
    configuration.settings()?;
    Ok(true)
}
