// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! No files import each other in a circle, and no folders either: in the plugin, the
//! reference agent, the tool, kubectl's plugin and what they call of Windows, whoever reads a file needs only
//! what is below it.
//!
//! An import counts for the file that defines the name, not for the one that passes
//! it on. Tests inside a file do not count.
//!
//! The map of the plugin's files in ARCHITECTURE.md is complete.
#![expect(clippy::unwrap_used, reason = "a test program")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, UseTree, Visibility};

type Module = Vec<String>;

/// As Antrea's own check wants it (addlicense).
#[test]
fn each_file_has_its_copyright_and_licence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = [
        "src", "agent", "ctl", "kubectl", "windows", "tests", "benches", "examples", "fuzz",
        "deploy", "dist",
    ]
    .map(|it| root.join(it))
    .into();
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
            let name = path.file_name().unwrap().to_str().unwrap();
            if kind.is_dir() && !["target", "fixtures", "corpus", "__pycache__"].contains(&name) {
                folders.push(path);
            } else if kind.is_file() && ["rs", "go", "sh", "py"].contains(&extension) {
                let text = fs::read_to_string(&path).unwrap();
                let head: Vec<_> = text.lines().take(3).collect();
                let has = |what: &str| head.iter().any(|line| line.contains(what));
                let says = has("Copyright") && has("SPDX-License-Identifier: Apache-2.0");
                assert!(says, "{}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn nothing_imports_what_imports_it() {
    for package in ["src", "agent/src", "ctl/src", "kubectl/src", "windows/src"] {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join(package);
        let files = Files::read(&package);
        assert!(files.0.len() > 4, "{}", package.display());
        let mut rooms: BTreeMap<Module, Graph> = BTreeMap::new();
        for (from, file) in &files.0 {
            for to in file.imports.iter().filter_map(|path| files.definition(path)) {
                let shared = std::iter::zip(from, &to).take_while(|(a, b)| a == b).count();
                let name =
                    |module: &Module| module.get(shared).map_or("(itself)", |it| it).to_owned();
                if *from != to {
                    let room = rooms.entry(from.get(..shared).unwrap().to_vec()).or_default();
                    room.entry(name(from)).or_default().insert(name(&to));
                }
            }
        }
        for (room, graph) in rooms {
            let circle = circle(&graph);
            assert_eq!(circle, None, "in {}/{}", package.display(), room.join("/"));
        }
    }
}

/// Who imports whom, of the files and folders of one folder.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// A way that leads back to where it began.
fn circle(graph: &Graph) -> Option<String> {
    fn from(graph: &Graph, way: &mut Vec<String>) -> Option<String> {
        let here = way.last()?.clone();
        for next in graph.get(&here).into_iter().flatten() {
            if let Some(at) = way.iter().position(|seen| seen == next) {
                return Some(format!("{} -> {next}", way.get(at..)?.join(" -> ")));
            }
            way.push(next.clone());
            if let Some(found) = from(graph, way) {
                return Some(found);
            }
            way.pop();
        }
        None
    }
    graph.keys().find_map(|start| from(graph, &mut vec![start.clone()]))
}

#[derive(Default)]
struct Source {
    module: Module,
    /// Paths of what is imported, from the root of the package
    imports: Vec<Module>,
    /// Names that are passed on, and where they come from
    exports: BTreeMap<String, Module>,
}

struct Files(BTreeMap<Module, Source>);

impl Files {
    fn read(package: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![(package.to_owned(), Module::new())];
        while let Some((folder, module)) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                let mut inner = module.clone();
                if name != "lib" {
                    inner.push(name.clone());
                }
                if path.is_dir() {
                    folders.push((path, inner));
                } else if name != "main" {
                    let mut file = Source { module: inner.clone(), ..Source::default() };
                    file.visit_file(&syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap());
                    files.insert(inner, file);
                }
            }
        }
        Self(files)
    }

    /// The file that defines what `path` names.
    fn definition(&self, path: &Module) -> Option<Module> {
        let longest = (0..=path.len()).rev().find_map(|n| self.0.get(path.get(..n)?))?;
        let export = path.get(longest.module.len()).and_then(|name| longest.exports.get(name));
        match export {
            Some(export) if export != path => self.definition(export),
            _ => Some(longest.module.clone()),
        }
    }
}

impl Source {
    /// A path of the package from its root; `None` for other packages.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let mut at = match path.first()?.as_str() {
            "crate" => Module::new(),
            "self" | "super" => self.module.clone(),
            _ => return None,
        };
        for name in path {
            match name.as_str() {
                "crate" | "self" => (),
                "super" => drop(at.pop()),
                name => at.push(name.to_owned()),
            }
        }
        Some(at)
    }

    fn uses(&mut self, tree: &UseTree, before: &[String], is_export: bool) {
        let path = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (name, path) = match tree {
            UseTree::Path(tree) => return self.uses(&tree.tree, &path(&tree.ident), is_export),
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.uses(tree, before, is_export));
            }
            UseTree::Name(name) => (name.ident.to_string(), path(&name.ident)),
            UseTree::Rename(name) => (name.rename.to_string(), path(&name.ident)),
            UseTree::Glob(_) => (String::new(), before.to_vec()),
        };
        let Some(path) = self.absolute(&path) else { return };
        if is_export {
            self.exports.insert(name, path);
        } else {
            self.imports.push(path);
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|what| what.is_ident("test"))
    })
}

impl<'a> Visit<'a> for Source {
    fn visit_item(&mut self, item: &'a Item) {
        match item {
            Item::Use(item) if !is_test(&item.attrs) => {
                let is_export = !matches!(item.vis, Visibility::Inherited);
                self.uses(&item.tree, &[], is_export);
            }
            Item::Mod(ItemMod { attrs, .. }) if is_test(attrs) => (),
            item => syn::visit::visit_item(self, item),
        }
    }

    fn visit_visibility(&mut self, _: &'a Visibility) {}

    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.imports.extend(self.absolute(&names).filter(|path| *path != self.module));
        syn::visit::visit_path(self, path);
    }
}

/// Paths of the map, the first table, each in backticks: a file, or a folder with a slash at its end.
fn mapped_paths() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|'));
    let files = rows.filter_map(|row| row.split('|').nth(2));
    let paths = files.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    paths.map(str::to_owned).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_map_has_every_file_and_no_other() {
    let map = mapped_paths();
    for path in &map {
        let is_there = if path.ends_with('/') { Path::is_dir } else { Path::is_file };
        assert!(is_there(&root().join(path)), "ARCHITECTURE.md names {path}");
    }
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            // A file, or a folder with a row, which stands for all that is in it.
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            if path.is_dir() && !map.contains(&format!("{name}/")) {
                folders.push(path);
            } else if path.is_file() {
                assert!(map.contains(&name), "ARCHITECTURE.md has no row for {name}");
            }
        }
    }
}

#[test]
fn a_circle_is_found() {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let graph = [("a", names(&["b"])), ("b", names(&["c"])), ("c", names(&["b"]))];
    let graph: Graph = graph.map(|(name, to)| (name.to_owned(), to)).into();
    assert_eq!(circle(&graph).expect("a circle"), "b -> c -> b");
}
