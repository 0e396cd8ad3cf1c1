//! Helm and kustomize, with stand-ins for both.

mod common;

use std::time::{Duration, Instant};

use common::{DEPLOYMENT, World};
use kubestride_input::{Options, Render};

const KUSTOMIZE: &str = "echo 'kind: Pod'; for a in \"$@\"; do echo \"# $a\"; done";

fn overlays(world: &World) {
    world.file("d/base/kustomization.yaml", "resources: [cart.yaml]\n");
    world.file("d/base/cart.yaml", DEPLOYMENT);
    for name in ["dev", "prod"] {
        world.file(
            &format!("d/overlays/{name}/kustomization.yaml"),
            "resources: [../../base]\npatches: [{path: p.yaml}]\n",
        );
        world.file(&format!("d/overlays/{name}/p.yaml"), DEPLOYMENT);
    }
    world.file("d/other/plain.yaml", "kind: Service\n");
}

#[test]
fn kustomize_builds() {
    let world = World::new();
    overlays(&world);
    world.program("kustomize", KUSTOMIZE);
    let loaded = world.load(&["d/overlays/prod"], &Options::default());
    assert_eq!(world.said(&loaded), "");
    let input = loaded.inputs.first().expect("an input");
    assert_eq!((input.kind, input.files, input.documents), ("kustomize", 1, 1));
    let text = world.short(&world.text(&loaded, "d/overlays/prod (kustomize build)"));
    assert_eq!(text, "kind: Pod\n# build\n# --load-restrictor=LoadRestrictionsRootOnly\n# d/overlays/prod\n");
}

#[test]
fn kubectl_stands_in_for_kustomize() {
    let world = World::new();
    overlays(&world);
    world.program("kubectl", KUSTOMIZE);
    let loaded = world.load(&["d/base"], &Options::default());
    assert!(world.text(&loaded, "d/base (kubectl kustomize)").contains("# kustomize\n"));
}

#[test]
fn several_overlays_are_not_mixed() {
    let world = World::new();
    overlays(&world);
    world.program("kustomize", KUSTOMIZE);
    for render in [Render::Never, Render::Local] {
        let loaded = world.load(&["d"], &Options { render, ..Options::default() });
        assert_eq!(world.codes(&loaded), ["several-overlays"]);
        let said = world.said(&loaded);
        assert!(said.contains("d/overlays/dev, d/overlays/prod"), "{said}");
        assert!(said.contains("analyze d/overlays/dev"), "{said}");
        assert_eq!(loaded.inputs.first().map(|input| input.documents), Some(1));
    }
}

#[test]
fn independent_kustomizations_are_all_rendered() {
    let world = World::new();
    world.file("d/common/kustomization.yaml", "kind: Component\n");
    for name in ["a", "b"] {
        world.file(&format!("d/{name}/kustomization.yml"), "resources: [x.yaml]\ncomponents: [../common]\n");
        world.file(&format!("d/{name}/x.yaml"), DEPLOYMENT);
        world.file(&format!("d/{name}/unused.yaml"), DEPLOYMENT);
    }
    world.program("kustomize", KUSTOMIZE);
    let loaded = world.load(&["d"], &Options::default());
    assert_eq!(
        loaded.inputs.iter().map(|input| input.kind).collect::<Vec<_>>(),
        ["directory", "kustomize", "kustomize"]
    );
    assert_eq!(world.codes(&loaded).first(), Some(&"not-in-kustomization"), "{}", world.said(&loaded));
    assert!(
        world
            .said(&loaded)
            .contains("2 files beside kustomizations that none of them names: d/a/unused.yaml, d/b/unused.yaml")
    );
}

#[test]
fn unrendered_kustomizations_are_read_without_patches() {
    let world = World::new();
    overlays(&world);
    let loaded = world.load(&["d/overlays/prod"], &Options { render: Render::Never, ..Options::default() });
    assert_eq!(world.codes(&loaded), ["unrendered-kustomization"]);
    assert_eq!(loaded.inputs.first().map(|input| input.documents), Some(1));
}

#[test]
fn helm_renders() {
    let world = World::new();
    world.file("My_Chart/Chart.yaml", "name: x\ndependencies: [{name: sub}, {name: packed}, {name: renamed}]\n");
    world.file("My_Chart/charts/sub/Chart.yaml", "name: sub\n");
    world.file("My_Chart/charts/other/Chart.yaml", "name: renamed\n");
    world.file("My_Chart/charts/packed-1.2.3.tgz", "");
    world.file("My_Chart/templates/x.yaml", "{{ x }}\n");
    world.program("helm", "echo '---'; echo '# Source: x/templates/x.yaml'; echo 'kind: Pod'; echo \"x: '$*'\"");
    let loaded = world.load(&["My_Chart"], &Options { namespace: "shop".to_owned(), ..Options::default() });
    assert_eq!(world.said(&loaded), "");
    let text = world.short(&world.text(&loaded, "My_Chart (helm template)"));
    assert!(text.contains("'template my-chart My_Chart --include-crds --namespace shop'"), "{text}");
    let (id, _) = loaded.sources.files().find(|(_, file)| file.name().ends_with("(helm template)")).expect("a file");
    assert_eq!(loaded.sources.template(kubestride_source::Span::new(id, 30, 31)), Some("x/templates/x.yaml"));
    assert_eq!(loaded.inputs.iter().map(|input| input.kind).collect::<Vec<_>>(), ["helm"]);
}

#[test]
fn missing_charts_are_refused_by_name() {
    let world = World::new();
    world.file("d/c/Chart.yaml", "name: c\ndependencies:\n- {name: postgresql, repository: https://example.com}\n");
    world.file("d/c/requirements.yaml", "dependencies:\n- name: redis\n");
    world.file("d/plain.yaml", DEPLOYMENT);
    world.program("helm", "echo \"kind: Pod\"; echo \"x: '$*'\"; test -f \"$3/Chart.yaml\" || exit 7");
    let loaded = world.load(&["d"], &Options::default());
    assert_eq!(world.codes(&loaded), ["render-refused"]);
    assert!(world.said(&loaded).contains("postgresql, redis"));
    assert_eq!(loaded.inputs.first().map(|input| input.documents), Some(1));

    let network = Options { render: Render::Network, ..Options::default() };
    let loaded = world.load(&["d"], &network);
    assert_eq!(world.said(&loaded), "");
    assert!(world.text(&loaded, "(helm template)").contains("/chart --dependency-update --include-crds"));
    assert!(!world.path("d/c/charts").exists());
}

#[test]
fn missing_tools_are_named() {
    let world = World::new();
    overlays(&world);
    world.file("c/Chart.yaml", "name: c\n");
    let loaded = world.load(&["c", "d/base"], &Options::default());
    assert_eq!(world.codes(&loaded), ["renderer-missing", "renderer-missing"]);
    let said = world.said(&loaded);
    assert!(
        said.contains("https://helm.sh/docs/intro/install/, or run `helm template c c | kubestride analyze -`"),
        "{said}"
    );
    assert!(said.contains("kubectl kustomize d/base | kubestride analyze -"), "{said}");
}

#[test]
fn what_needs_the_network_is_refused() {
    let world = World::new();
    world.program("kustomize", KUSTOMIZE);
    let table = [
        (
            "resources: ['https://user:canary@example.com/a.yaml?token=canary']",
            "`resources` names the remote place `example.com/a.yaml`",
            true,
        ),
        ("Re\u{17f}ources: ['github.com/a/b?ref=v1']", "`resources` names the remote place `github.com/a/b`", true),
        ("bases: [git@github.com:a/b]", "`bases` names the remote place `github.com:a/b`", true),
        ("components: [example.com/a]", "`components` names `example.com/a`, which is not here", true),
        ("crds: ['http://x/y']", "`crds` names the remote place `x/y`", true),
        ("patches: [{path: 'https://x/y'}]", "`patches` names the remote place `x/y`", true),
        (
            "configMapGenerator: [{name: a, files: ['k=https://x/y']}]",
            "`configmapgenerator` names the remote place",
            true,
        ),
        ("openapi: {path: 'https://x/y'}", "`openapi` names the remote place `x/y`", true),
        ("helmCharts: [{name: a, repo: 'https://x/y'}]", "it inflates a Helm chart", true),
        ("helmChartInflationGenerator: [{chartName: a}]", "it inflates a Helm chart", true),
        ("generators: [exec.yaml]", "a plugin that is not part of kustomize", false),
        ("transformers: [function.yaml]", "a plugin that runs a container or a program", false),
        ("validators: [\"kind: X\\napiVersion: y\\n\"]", "a plugin that is not part of kustomize", false),
        ("transformers: [../plugins]", "a plugin that runs a container or a program", false),
        ("resources: [../exec.yaml]", "`resources` names `../exec.yaml`, which is outside its directory", false),
        ("secretGenerator: [{name: a, files: ['k=../exec.yaml']}]", "names `../exec.yaml`, which is outside", false),
        ("patches: [{path: link.yaml}]", "`patches` names `link.yaml`, which is outside its directory", false),
        ("resources: [", "cannot be read", false),
        ("a: &a {resources: ['https://x/y']}\n<<: *a\n", "cannot be read", false),
        ("patches: &a {b: *a, c: *a, d: *a, e: *a, f: *a, g: *a, h: *a, i: *a}\n", "cannot be read", false),
    ];
    world.file("exec.yaml", "");
    for (index, (text, expected, network)) in table.into_iter().enumerate() {
        let name = format!("k{index}");
        world.file(&format!("{name}/kustomization.yaml"), text);
        let link = world.path(&format!("{name}/link.yaml"));
        std::os::unix::fs::symlink(world.path("exec.yaml"), link).expect("a link");
        world.file(&format!("{name}/exec.yaml"), "apiVersion: x/v1\nkind: Exec\n");
        let function = "apiVersion: builtin\nkind: LabelTransformer\nmetadata:\n  annotations: {config.kubernetes.io/function: x}\n";
        world.file(&format!("{name}/function.yaml"), function);
        world.file("plugins/kustomization.yaml", "resources: [function.yaml]\n");
        world.file("plugins/function.yaml", function);
        let loaded = world.load(&[&name], &Options::default());
        let said = world.said(&loaded);
        assert!(world.codes(&loaded).contains(&"render-refused"), "{text}: {said}");
        assert!(said.contains(expected), "{text}: {said}");
        assert!(!said.contains("canary"), "{said}");
        let loaded = world.load(&[&name], &Options { render: Render::Network, ..Options::default() });
        assert_eq!(world.codes(&loaded).contains(&"render-refused"), !network, "{text}: {}", world.said(&loaded));
    }
}

#[test]
fn builtin_plugins_and_texts_that_look_remote_are_fine() {
    let world = World::new();
    world.program("kustomize", KUSTOMIZE);
    world.file(
        "k/kustomization.yaml",
        "transformers: [t.yaml]\nconfigMapGenerator: [{name: a, literals: ['url=https://x/y']}]\n\
         images: [{name: a, newName: github.com/a/b}]\npatches:\n- patch: |\n    url: https://x/y\n\
         generators:\n- |\n  apiVersion: builtin\n  kind: SecretGenerator\n  metadata: {name: x}\n",
    );
    world.file("k/t.yaml", "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: x}\nprefix: a\n");
    assert_eq!(world.said(&world.load(&["k"], &Options::default())), "");
}

#[test]
fn refusals_reach_through_bases() {
    let world = World::new();
    world.program("kustomize", KUSTOMIZE);
    world.file("a/kustomization.yaml", "resources: [../b]\n");
    world.file("b/kustomization.yaml", "resources: [../a, 'https://x/y']\n");
    let loaded = world.load(&["a"], &Options::default());
    assert!(world.said(&loaded).contains("b/kustomization.yaml was not rendered"), "{}", world.said(&loaded));
}

#[test]
fn renderers_get_a_clean_environment() {
    let world = World::new();
    world.file("c/Chart.yaml", "name: c\n");
    world.program("helm", "echo 'kind: Pod'; echo 'env: |'; /usr/bin/env | /bin/sed 's/^/  /'; /bin/ls -A \"$HOME\" | /bin/sed 's/^/  HOME HAS /'");
    let loaded = world.load(&["c"], &Options::default());
    let text = world.text(&loaded, "(helm template)");
    let known =
        ["PATH", "LANG", "HOME", "TMPDIR", "PWD", "SHLVL", "_", "GIT_TERMINAL_PROMPT", "GIT_ALLOW_PROTOCOL", "OLDPWD"];
    for line in text.lines().filter_map(|line| line.strip_prefix("  ")) {
        let name = line.split('=').next().unwrap_or("");
        let expected = known.contains(&name) || name.starts_with("HELM_") || name.starts_with("XDG_");
        let proxy = line.to_lowercase().contains("_proxy=http://127.0.0.1:9");
        assert!(expected || proxy, "{line}");
    }
    assert!(text.contains("HOME=/"), "{text}");
}

#[test]
fn what_renderers_say_is_not_repeated() {
    let world = World::new();
    world.file("c/Chart.yaml", "name: c\n");
    world.file("c/templates/x.yaml", "a\nb\nc\n");
    world.program(
        "helm",
        "echo 'canary: (c/templates/x.yaml:2:7) canary /etc/passwd:1 templates/x.yaml:99 canary.yaml:1' >&2; echo 'kind: canary'; exit 3",
    );
    let loaded = world.load(&["c"], &Options::default());
    assert_eq!(
        world.said(&loaded),
        "error render-failed: c was not rendered: `helm template` failed with exit status 3, at c/templates/x.yaml:2 \
         (run `helm template c c` to see what it says)\n"
    );
    assert!(world.files(&loaded).iter().all(|name| !name.contains("helm template")));
}

#[test]
fn renderers_are_ended_with_all_they_started() {
    let world = World::new();
    world.file("c/Chart.yaml", "name: c\n");
    let mark = world.path("mark");
    world.program("helm", &format!("(/bin/sleep 1.5; echo late > {}) & /bin/sleep 30", mark.display()));
    let start = Instant::now();
    let loaded = world.load(&["c"], &Options { render_timeout: Duration::from_millis(500), ..Options::default() });
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(world.said(&loaded).contains("took longer than 0.5 seconds"), "{}", world.said(&loaded));
    std::thread::sleep(Duration::from_millis(1600));
    assert!(!mark.exists());

    // What is left behind by one that ends well is ended too.
    world
        .program("helm", &format!("(/bin/sleep 1; echo late > {}) >/dev/null 2>&1 & echo 'kind: Pod'", mark.display()));
    assert_eq!(world.said(&world.load(&["c"], &Options::default())), "");
    std::thread::sleep(Duration::from_millis(1300));
    assert!(!mark.exists());
}

#[test]
fn renderers_cannot_write_without_end() {
    let world = World::new();
    world.file("c/Chart.yaml", "name: c\n");
    world.program("helm", "while :; do echo 'kind: Pod'; done");
    let start = Instant::now();
    let loaded = world.load(&["c"], &Options { max_render_bytes: 100_000, ..Options::default() });
    assert!(world.said(&loaded).contains("wrote more than 100000 bytes"), "{}", world.said(&loaded));
    // A full error stream does not stop a renderer.
    world.program("helm", "/usr/bin/head -c 3000000 /dev/zero >&2; echo 'kind: Pod'");
    assert_eq!(world.said(&world.load(&["c"], &Options::default())), "");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn links_out_of_charts_are_refused() {
    let world = World::new();
    world.file("c/Chart.yaml", "name: c\n");
    world.file("c/files/a", "");
    world.file("common/Chart.yaml", "name: common\n");
    world.file("key", "");
    world.program("helm", "echo 'kind: Pod'");
    let link = |from: &str, to: &str| std::os::unix::fs::symlink(world.path(from), world.path(to)).expect("a link");
    std::fs::create_dir_all(world.path("c/charts")).expect("a directory");
    link("common", "c/charts/common");
    link("c/files/a", "c/files/b");
    assert_eq!(world.said(&world.load(&["c"], &Options::default())), "");
    link("key", "c/files/key");
    let loaded = world.load(&["c"], &Options::default());
    assert!(world.said(&loaded).contains("c/files/key leads out of the chart"), "{}", world.said(&loaded));
}
