// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! v1 is v1beta1 plus additions, on the wire and in its description.

use proptest::prelude::*;
use prost_reflect::prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};

fn package(version: &str) -> (DescriptorPool, String) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    let file = format!("{root}/{version}/cni.proto");
    let files = protox::compile([file], [root]).unwrap();
    let pool = DescriptorPool::from_file_descriptor_set(files).unwrap();
    (pool, format!("antrea_io.antrea.pkg.apis.cni.{version}"))
}

fn message(version: &str, name: &str) -> MessageDescriptor {
    let (pool, package) = package(version);
    pool.get_message_by_name(&format!("{package}.{name}")).unwrap()
}

#[test]
fn every_field_value_and_method_of_v1beta1_is_in_v1() {
    let (old, old_package) = package("v1beta1");
    let (new, new_package) = package("v1");
    let renamed = |name: &str| name.replace(&old_package, &new_package);
    let mut compared = 0;
    for message in old.all_messages().filter(|message| message.package_name() == old_package) {
        let newer = new.get_message_by_name(&renamed(message.full_name())).unwrap();
        for field in message.fields() {
            let same = newer.get_field(field.number()).unwrap();
            assert_eq!(same.name(), field.name());
            assert_eq!(same.cardinality(), field.cardinality());
            assert_eq!(format!("{:?}", same.kind()), renamed(&format!("{:?}", field.kind())));
            compared += 1;
        }
    }
    for value in old.get_enum_by_name(&format!("{old_package}.ErrorCode")).unwrap().values() {
        let newer = new.get_enum_by_name(&format!("{new_package}.ErrorCode")).unwrap();
        assert_eq!(newer.get_value(value.number()).unwrap().name(), value.name());
        compared += 1;
    }
    let service = |pool: &DescriptorPool, package: &str| {
        pool.services().find(|service| service.full_name() == format!("{package}.Cni")).unwrap()
    };
    for method in service(&old, &old_package).methods() {
        let newer =
            service(&new, &new_package).methods().find(|m| m.name() == method.name()).unwrap();
        assert_eq!(newer.input().full_name(), renamed(method.input().full_name()));
        assert_eq!(newer.output().full_name(), renamed(method.output().full_name()));
        assert!(!newer.is_client_streaming() && !newer.is_server_streaming());
        compared += 1;
    }
    assert_eq!(compared, 12 + 14 + 3);
}

#[test]
fn the_schema_says_which_rpcs_may_be_sent_again() {
    let (pool, package) = package("v1");
    let service = pool.get_service_by_name(&format!("{package}.Cni")).unwrap();
    let levels: Vec<_> = service
        .methods()
        .map(|method| {
            let options = method.method_descriptor_proto().options.clone().unwrap_or_default();
            (method.name().to_owned(), options.idempotency_level().as_str_name())
        })
        .collect();
    let expected = [
        ("CmdAdd", "IDEMPOTENCY_UNKNOWN"),
        ("CmdCheck", "NO_SIDE_EFFECTS"),
        ("CmdDel", "IDEMPOTENT"),
        ("CmdGC", "IDEMPOTENT"),
        ("CmdStatus", "NO_SIDE_EFFECTS"),
        ("GetCapabilities", "NO_SIDE_EFFECTS"),
    ];
    assert_eq!(levels, expected.map(|(name, level)| (name.to_owned(), level)));
}

proptest! {
    #[test]
    fn a_v1beta1_request_is_a_v1_request(
        texts in prop::array::uniform5(any::<String>()),
        configuration in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut args = DynamicMessage::new(message("v1beta1", "CniCmdArgs"));
        for (number, text) in (1..).zip(&texts) {
            args.set_field_by_number(number, Value::String(text.clone()));
        }
        args.set_field_by_number(6, Value::Bytes(configuration.into()));
        let mut request = DynamicMessage::new(message("v1beta1", "CniCmdRequest"));
        request.set_field_by_number(1, Value::Message(args.clone()));

        let bytes = request.encode_to_vec();
        let read = DynamicMessage::decode(message("v1", "CniCmdRequest"), &*bytes).unwrap();
        prop_assert_eq!(read.encode_to_vec(), bytes);
        let read = read.get_field_by_number(1).unwrap().as_message().unwrap().clone();
        for number in 1..=6 {
            prop_assert_eq!(read.get_field_by_number(number), args.get_field_by_number(number));
        }
    }

    #[test]
    fn a_v1beta1_reply_is_a_v1_reply(
        result in prop::collection::vec(any::<u8>(), 0..200),
        error in prop::option::of((any::<i32>(), any::<String>())),
    ) {
        let mut reply = DynamicMessage::new(message("v1beta1", "CniCmdResponse"));
        reply.set_field_by_number(1, Value::Bytes(result.into()));
        if let Some((code, text)) = error {
            let mut error = DynamicMessage::new(message("v1beta1", "Error"));
            error.set_field_by_number(1, Value::EnumNumber(code));
            error.set_field_by_number(2, Value::String(text));
            reply.set_field_by_number(2, Value::Message(error));
        }
        let bytes = reply.encode_to_vec();
        let read = DynamicMessage::decode(message("v1", "CniCmdResponse"), &*bytes).unwrap();
        prop_assert_eq!(read.encode_to_vec(), bytes);
        prop_assert_eq!(read.get_field_by_number(1), reply.get_field_by_number(1));
        prop_assert_eq!(read.has_field_by_number(2), reply.has_field_by_number(2));
    }
}
