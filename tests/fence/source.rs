//! One source file: which paths stand in it, how long it and its functions are.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemFn, ItemMod, ItemUse, Macro, Signature, UseTree};

/// What is judged of a parsed file; all without what is for tests.
pub(crate) struct Source {
    /// From the crate's folder: `src/sys/live.rs`.
    pub(crate) path: String,
    /// The rooms of ours that its paths lead to.
    pub(crate) imports: Vec<Import>,
    /// All paths of at least two words, with their line.
    pub(crate) paths: Vec<(usize, Vec<String>)>,
    /// Its functions.
    pub(crate) functions: Vec<Function>,
    /// Whether it holds the word `unsafe`.
    pub(crate) holds_unsafe: bool,
    /// Whether it opens with a doc comment.
    pub(crate) has_doc: bool,
    /// How many lines it has.
    pub(crate) own_lines: usize,
    module: Vec<String>,
    test_modules: Vec<Vec<String>>,
}

/// A room of ours that a path leads to.
pub(crate) struct Import {
    pub(crate) line: usize,
    pub(crate) room: String,
}

/// A function's size.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) lines: usize,
    pub(crate) parameters: usize,
}

/// All sources but those that are for tests only, parsed once.
pub(crate) fn sources() -> &'static [Source] {
    static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let mut files = Vec::new();
        read_below(Path::new("src"), &mut files);
        files.sort();
        let parsed: Vec<_> = files.iter().map(|(path, text)| Source::parse(path, text)).collect();
        let for_tests: BTreeSet<_> =
            parsed.iter().flat_map(|source| source.test_modules.clone()).collect();
        let kept = |source: &Source| {
            !(1..=source.module.len()).any(|depth| for_tests.contains(&source.module[..depth]))
        };
        parsed.into_iter().filter(kept).collect()
    });
    &SOURCES
}

fn read_below(dir: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).expect("src is a folder of ours") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            read_below(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
            files.push((path.to_str().expect("our names are ASCII").to_owned(), text));
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test")
    })
}

impl Source {
    /// Parses a file; the compiler accepted it already.
    pub(crate) fn parse(path: &str, text: &str) -> Self {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let name = path.trim_start_matches("src/").trim_end_matches(".rs");
        let module: Vec<String> = match name {
            "lib" => Vec::new(),
            name => name.split('/').map(str::to_owned).collect(),
        };
        let mut seen = Visitor { module: module.clone(), ..Visitor::default() };
        seen.visit_file(&file);
        let import = |(line, module, path): &(usize, Vec<String>, Vec<String>)| {
            resolve(module, path).map(|room| Import { line: *line, room })
        };
        let tests: Vec<_> = file.items.iter().filter_map(test_module).collect();
        let below = |tests: &ItemMod| module.iter().cloned().chain([tests.ident.to_string()]);
        Self {
            path: path.to_owned(),
            imports: seen.paths.iter().filter_map(import).collect(),
            paths: seen.paths.into_iter().map(|(line, _, path)| (line, path)).collect(),
            functions: seen.functions,
            holds_unsafe: seen.holds_unsafe,
            has_doc: file.attrs.first().is_some_and(|first| first.path().is_ident("doc")),
            own_lines: text.lines().count()
                - tests.iter().map(|item| lines_of(*item)).sum::<usize>(),
            test_modules: tests.iter().map(|tests| below(tests).collect()).collect(),
            module,
        }
    }

    /// The top module it belongs to.
    pub(crate) fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

fn test_module(item: &Item) -> Option<&ItemMod> {
    match item {
        Item::Mod(item) if is_for_tests(&item.attrs) => Some(item),
        _ => None,
    }
}

fn is_receiver(input: &syn::FnArg) -> bool {
    matches!(input, syn::FnArg::Receiver(_))
}

fn lines_of(item: &impl Spanned) -> usize {
    let span = item.span();
    span.end().line + 1 - span.start().line
}

/// The room that a path leads to, when it begins at the crate's root or goes up to it.
fn resolve(module: &[String], path: &[String]) -> Option<String> {
    let ups = path.iter().take_while(|word| *word == "super").count();
    match path.first().map(String::as_str) {
        Some("crate" | "thinscope") => path.get(1).cloned(),
        Some("super") if ups >= module.len() => path.get(ups).cloned(),
        Some("super") => module.first().cloned(),
        _ => None,
    }
}

#[derive(Default)]
struct Visitor {
    module: Vec<String>,
    paths: Vec<(usize, Vec<String>, Vec<String>)>,
    functions: Vec<Function>,
    holds_unsafe: bool,
}

impl Visitor {
    fn found(&mut self, line: usize, path: Vec<String>) {
        if path.len() > 1 {
            self.paths.push((line, self.module.clone(), path));
        }
    }

    fn use_tree(&mut self, before: &[String], tree: &UseTree) {
        let line = tree.span().start().line;
        let with = |word: &syn::Ident| {
            before.iter().cloned().chain([word.to_string()]).collect::<Vec<_>>()
        };
        match tree {
            UseTree::Path(path) => self.use_tree(&with(&path.ident), &path.tree),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.use_tree(before, tree));
            }
            UseTree::Name(name) => self.found(line, with(&name.ident)),
            UseTree::Rename(name) => self.found(line, with(&name.ident)),
            UseTree::Glob(_) => self.found(line, before.to_vec()),
        }
    }

    /// Paths in a macro's words, which syn leaves alone.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut line, mut colons) = (0, 0);
        for token in tokens {
            match &token {
                TokenTree::Ident(word) if colons == 2 => path.push(word.to_string()),
                TokenTree::Ident(word) => {
                    self.found(line, std::mem::take(&mut path));
                    line = word.span().start().line;
                    path.push(word.to_string());
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                _ => self.found(line, std::mem::take(&mut path)),
            }
            colons = 0;
            if let TokenTree::Group(group) = token {
                self.tokens(group.stream());
            }
        }
        self.found(line, path);
    }

    fn function(&mut self, signature: &Signature, whole: &impl Spanned) {
        self.holds_unsafe |= signature.unsafety.is_some();
        self.functions.push(Function {
            name: signature.ident.to_string(),
            lines: lines_of(whole),
            parameters: signature.inputs.iter().filter(|input| !is_receiver(input)).count(),
        });
    }
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if is_for_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.use_tree(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.found(path.span().start().line, words);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if is_for_tests(&item.attrs) {
            return;
        }
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if is_for_tests(&item.attrs) {
            return;
        }
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_unsafe(&mut self, item: &'ast syn::ExprUnsafe) {
        self.holds_unsafe = true;
        visit::visit_expr_unsafe(self, item);
    }
}
