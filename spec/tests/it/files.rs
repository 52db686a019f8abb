//! The files a mesh names: found beside it, never outside, never shown.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use meshwright_spec::load::{FileError, Files, attach, load};
use meshwright_spec::{Color, Diagnostic, Diagnostics, SourceFile, Sources, Span, Syntax, Variables, codes, render};

/// Files by path.
struct Folder(BTreeMap<&'static str, &'static [u8]>);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0.get(path).map(|bytes| bytes.to_vec()).ok_or_else(|| FileError::new(path, "no such file"))
    }
}

/// Loads `shop/mesh.kdl`, whose gateway names `htpasswd`, and gives the report.
#[track_caller]
fn check(htpasswd: &str, expected: Expect) -> Sources {
    let text = format!("mesh \"shop\" {{ gateway \"g\" listen=80 {{ basic-auth htpasswd-file={htpasswd:?}; }}\n}}\n");
    let folder = Folder(BTreeMap::from([
        ("shop/mesh.kdl", text.leak().as_bytes()),
        ("shop/users.htpasswd", b"alice:secret-hash\n"),
        ("shop/binary", b"\xff\xfe"),
        ("users.htpasswd", b"outside"),
    ]));
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let mesh = load("shop/mesh.kdl", Syntax::Kdl, Variables::default(), &folder, &mut sources, &mut diagnostics);
    let mesh = mesh.mesh.expect("a mesh");
    attach(&mesh, &folder, &mut sources, &mut diagnostics);
    expected.assert_eq(&render(&diagnostics, &sources, Color::Plain));
    sources
}

#[test]
fn a_named_file_is_read_from_beside_the_mesh() {
    let sources = check("users.htpasswd", expect![[""]]);
    let (_, file) = sources.find("shop/users.htpasswd").expect("the file");
    assert_eq!(file.text, "alice:secret-hash\n");
}

#[test]
fn a_missing_file_is_reported_where_it_is_named() {
    check(
        "none.htpasswd",
        expect![[r#"
        error[unreadable-file]: `shop/none.htpasswd` cannot be read: no such file
         --> shop/mesh.kdl:1:64
          |
        1 | mesh "shop" { gateway "g" listen=80 { basic-auth htpasswd-file="none.htpasswd"; }
          |                                                                ^^^^^^^^^^^^^^^
          |
          = help: put the file beside the mesh, or correct `htpasswd-file`

    "#]],
    );
}

#[test]
fn no_path_leads_out_of_the_folder() {
    check(
        "../users.htpasswd",
        expect![[r#"
        error[unreadable-file]: the file is outside the folder of the mesh
         --> shop/mesh.kdl:1:64
          |
        1 | mesh "shop" { gateway "g" listen=80 { basic-auth htpasswd-file="../users.htpasswd"; }
          |                                                                ^^^^^^^^^^^^^^^^^^^ no `..`, and no path from the root
          |
          = help: put the file beside the mesh, or below it

    "#]],
    );
    check(
        "/users.htpasswd",
        expect![[r#"
        error[unreadable-file]: the file is outside the folder of the mesh
         --> shop/mesh.kdl:1:64
          |
        1 | mesh "shop" { gateway "g" listen=80 { basic-auth htpasswd-file="/users.htpasswd"; }
          |                                                                ^^^^^^^^^^^^^^^^^ no `..`, and no path from the root
          |
          = help: put the file beside the mesh, or below it

    "#]],
    );
    check(
        "a\\..\\..\\users.htpasswd",
        expect![[r#"
        error[unreadable-file]: the file is outside the folder of the mesh
         --> shop/mesh.kdl:1:64
          |
        1 | mesh "shop" { gateway "g" listen=80 { basic-auth htpasswd-file="a\\..\\..\\users.htpasswd"; }
          |                                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^ no `..`, and no path from the root
          |
          = help: put the file beside the mesh, or below it

    "#]],
    );
}

#[test]
fn a_binary_file_is_refused_without_its_bytes() {
    check(
        "binary",
        expect![[r#"
        error[unreadable-file]: `shop/binary` is not UTF-8 text
         --> shop/mesh.kdl:1:64
          |
        1 | mesh "shop" { gateway "g" listen=80 { basic-auth htpasswd-file="binary"; }
          |                                                                ^^^^^^^^

    "#]],
    );
}

#[test]
fn a_mesh_that_is_not_utf8_is_reported_with_its_place() {
    let folder = Folder(BTreeMap::from([("mesh.yaml", &b"mesh: shop\nnode: \xff\n"[..])]));
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    assert!(
        load("mesh.yaml", Syntax::Yaml, Variables::default(), &folder, &mut sources, &mut diagnostics).mesh.is_none()
    );
    expect![[r#"
        error[not-utf8]: the file is not UTF-8 text
         --> mesh.yaml:2:7
          |
        2 | node: �
          |       ^ this byte is part of no character
          |
          = help: save the file as UTF-8

    "#]]
    .assert_eq(&render(&diagnostics, &sources, Color::Plain));
}

#[test]
fn lines_of_secret_files_are_never_shown() {
    let mut sources = check("users.htpasswd", expect![[""]]);
    let (secret, _) = sources.find("shop/users.htpasswd").expect("the file");
    let public = sources.add(SourceFile::public("other", "seen\n"));
    let mut diagnostics = Diagnostics::new();
    let diagnostic = Diagnostic::error(codes::HTPASSWD, Span::new(secret, 6, 17), "this hash is weak");
    diagnostics.push(diagnostic.label("here").related(Span::new(public, 0, 4), "used here"));
    for color in [Color::Plain, Color::Ansi] {
        assert!(!render(&diagnostics, &sources, color).contains("secret-hash"));
    }
    expect![[r#"
        error[htpasswd]: this hash is weak
         --> shop/users.htpasswd:1:7
          = note: here
          |
         ::: other:1:1
          |
        1 | seen
          | ---- used here

    "#]]
    .assert_eq(&render(&diagnostics, &sources, Color::Plain));
}
