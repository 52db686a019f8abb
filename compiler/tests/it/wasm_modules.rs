//! Modules of wasm filters: read where they are named, and refused when Envoy would refuse them.

use expect_test::{Expect, expect};
use meshwright_compiler::{check, modules};
use spec::load::{FileError, Files};
use spec::{Diagnostics, Sources, Syntax};

use crate::findings::findings;

const MODULE: &[u8] = include_bytes!("../golden/filters-wasm/tenant.wasm");

struct Named<'a>(&'a str, &'a [u8]);

impl Files for Named<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let bytes = if path == "f.wasm" { self.1 } else { self.0.as_bytes() };
        Ok(bytes.to_vec())
    }
}

#[track_caller]
fn of(module: &[u8], says: &str, expected: Expect) {
    let mesh = format!(
        "mesh \"m\" {{\nwasm-filter \"f\" {{\nfile \"f.wasm\"\n{says}\n}}\n\
         service \"a.svc\" {{ endpoint \"10.0.0.1:80\"; filter \"f\"; }}\nnode \"n\" serves=\"a.svc\"\n}}"
    );
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let files = Named(&mesh, module);
    let loaded =
        spec::load::load("mesh.kdl", Syntax::Kdl, spec::Variables::default(), &files, &mut sources, &mut found);
    let mesh = loaded.mesh.expect("a mesh");
    spec::load::attach(&mesh, &files, &mut sources, &mut found);
    let checked = check(&mesh, &sources, &mut found);
    let modules = checked.iter().flat_map(modules).map(|(sha256, bytes)| format!("{sha256}: {} bytes\n", bytes.len()));
    expected.assert_eq(&format!("{}{}", findings(&found, &sources), modules.collect::<String>()));
}

#[test]
fn a_module_goes_along_under_its_digest() {
    of(
        MODULE,
        "",
        expect![[r#"
        82f794aede78fbe486ade01c99a0b5261d631fb05e75bbbb1f4aa6f5cbce9598: 140 bytes
    "#]],
    );
}

#[test]
fn another_digest_than_said() {
    of(
        MODULE,
        &format!("sha256 \"{}\"", "0".repeat(64)),
        expect![[r#"
        error[wasm-digest]: the module of `f` has another digest
          4:8 the file's is `82f794aede78fbe486ade01c99a0b5261d631fb05e75bbbb1f4aa6f5cbce9598`
          3:1 the file is named here
          help: say the digest of the file, or put the file there that was meant
    "#]],
    );
}

#[test]
fn what_is_no_module() {
    of(
        b"(module)",
        "",
        expect![[r#"
        error[wasm-module]: Envoy cannot run the module of `f`
          3:1 this is no WebAssembly module
          help: build a module of the proxy-wasm ABI for `wasm32-wasip1` or `wasm32-unknown-unknown`
    "#]],
    );
    of(
        b"",
        "",
        expect![[r#"
        error[wasm-module]: Envoy cannot run the module of `f`
          3:1 this is no WebAssembly module
          help: build a module of the proxy-wasm ABI for `wasm32-wasip1` or `wasm32-unknown-unknown`
    "#]],
    );
    of(
        &MODULE[..60],
        "",
        expect![[r#"
        error[wasm-module]: Envoy cannot run the module of `f`
          3:1 this is no WebAssembly module
          help: build a module of the proxy-wasm ABI for `wasm32-wasip1` or `wasm32-unknown-unknown`
    "#]],
    );
    of(
        b"\0asm\x01\0\0\0",
        "",
        expect![[r#"
        error[wasm-module]: Envoy cannot run the module of `f`
          3:1 it exports no `proxy_abi_version_0_2_1`, nor an earlier one
          help: build a module of the proxy-wasm ABI for `wasm32-wasip1` or `wasm32-unknown-unknown`
    "#]],
    );
}

#[test]
fn a_module_that_needs_what_envoy_does_not_have() {
    let mut module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x13\x01\x03env\x0bproxy_fancy\0\0".to_vec();
    of(
        &module,
        "",
        expect![[r#"
        error[wasm-module]: Envoy cannot run the module of `f`
          3:1 it imports `env.proxy_fancy`, which Envoy does not have
          help: build a module of the proxy-wasm ABI for `wasm32-wasip1` or `wasm32-unknown-unknown`
    "#]],
    );
    module.truncate(8);
    module.extend(b"\x01\x04\x01\x60\0\0\x02\x09\x01\x02js\x02go\0\0");
    of(
        &module,
        "",
        expect![[r#"
        error[wasm-module]: Envoy cannot run the module of `f`
          3:1 it imports `js.go`, which Envoy does not have
          help: build a module of the proxy-wasm ABI for `wasm32-wasip1` or `wasm32-unknown-unknown`
    "#]],
    );
}
