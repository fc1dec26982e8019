"""Sphinx extension of this site: names in the reference, and widgets and scripts that work offline."""

from typing import Any

from book._tools.library import BAR

# Widgets ask MathJax 2 to typeset their labels; this passes the request on to MathJax 3.
MATHJAX_FOR_WIDGETS = """
window.MathJax = window.MathJax || {};
(function (configuration) {
  const hub = {Queue: ([, , element]) =>
    window.MathJax.startup.promise.then(() => window.MathJax.typesetPromise([element]))};
  configuration.Hub = hub;
  configuration.startup = {ready() {
    window.MathJax.startup.defaultReady();
    window.MathJax.Hub = hub;
  }};
})(window.MathJax);
"""


def skip_member(app: Any, what: str, name: str, member: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what a module imports, and attributes that only repeat the docstring of their class."""
    if getattr(member, "imported", False):
        return True
    if getattr(member, "type", "") in ("attribute", "data") and not getattr(member, "docstring", ""):
        return True
    return None


def escape_bars(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep the bars of an absolute value, which would be a substitution; examples and code stay as they are."""
    for index, line in enumerate(lines):
        if "`" not in line and not line.lstrip().startswith((">>>", "...")):
            lines[index] = BAR.sub(r"\|", line)


def resolve_exported_name(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Resolve a type that is a documented constant, and ``ddgp_lib.name`` to the one object of that name."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target.startswith("ddgp_lib."):
        return None
    domain = env.get_domain("py")
    if target in domain.objects:
        return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, content)
    last = target.rsplit(".", 1)[-1]
    known = [full for full, *_ in domain.get_objects() if full.rsplit(".", 1)[-1] == last]
    if len(known) != 1:
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], known[0], node, content)


def keep_one_document(app: Any, doctree: Any) -> None:
    """Let every node of a page know that page alone.

    What MyST reads as reStructuredText belongs to a document of its own, which holds the environment: all of that
    would be stored, 40 MB, with each page, and read again for each.
    """
    for node in doctree.findall():
        node.document = doctree


def prepare_page(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the theme its first mode and widgets their MathJax; drop the style of sphinx-thebe."""
    context.setdefault("default_mode", "auto")
    context["css_files"] = [style for style in context["css_files"] if "thebe" not in str(style.filename)]
    scripts = " ".join(str(script.filename) for script in context["script_files"])
    if "embed-amd" in scripts and "mathjax" in scripts:
        app.add_js_file(None, body=MATHJAX_FOR_WIDGETS, priority=900)


def disconnect(app: Any, package: str) -> None:
    """Stop an extension from acting on any event."""
    for listeners in list(app.events.listeners.values()):
        for listener in list(listeners):
            if listener.handler.__module__.split(".")[0] == package:
                app.disconnect(listener.id)


def setup(app: Any) -> dict[str, bool]:
    """Register the extension with Sphinx."""
    # Jupyter Book always loads sphinx-thebe, whose scripts name a server elsewhere.
    disconnect(app, "sphinx_thebe")
    app.connect("autodoc-skip-member", skip_member)
    app.connect("autodoc-process-docstring", escape_bars)
    app.connect("doctree-read", keep_one_document)
    app.connect("missing-reference", resolve_exported_name)
    app.connect("html-page-context", prepare_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
