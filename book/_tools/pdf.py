"""Print the whole built site as one PDF, in the order of its contents, through a headless Chromium.

The title page is opened, the articles of all other pages are put below it, links between pages become links inside
the document, formulas are typeset, and the result is printed with an outline.  A slider shows the picture that it
starts with; code that a page folds is left out, solutions are not.
"""

import argparse
import shutil
import sys
from pathlib import Path

import yaml
from playwright.sync_api import Browser

from book._tools.browser import launched, opened, serve
from book._tools.repository import ROOT
from book._tools.website import BUILD, HTML

PDF = BUILD / "book.pdf"
SCALE = 0.75
PLACE = "<!-- The PDF is linked here by book/_tools/pdf.py. -->"
"""Stands in every page, by ``_config.yml``, where the link to the PDF goes."""

APPEND = """async names => {
  const first = document.querySelector('article.bd-article');
  const inside = (article, page) => {
    article.querySelectorAll('[id]').forEach(element => { element.id = page + '--' + element.id; });
    article.id = page;
    article.querySelectorAll('a[href]').forEach(link => {
      const [file, id] = link.getAttribute('href').split('#');
      const target = file || page;
      if (target === page || names.includes(target)) {
        link.setAttribute('href', '#' + target + (id ? '--' + id : ''));
      }
    });
  };
  const contents = document.createElement('ol');
  contents.className = 'ddgp-contents';
  inside(first, 'index.html');
  let last = first;
  for (const name of names) {
    const text = await (await fetch(name)).text();
    const article = new DOMParser().parseFromString(text, 'text/html').querySelector('article.bd-article');
    article.querySelectorAll('a.headerlink').forEach(link => link.remove());
    inside(article, name);
    article.style.breakBefore = 'page';
    const link = document.createElement('a');
    link.href = '#' + name;
    link.textContent = article.querySelector('h1').textContent;
    contents.appendChild(document.createElement('li')).append(link);
    last.after(article);
    last = article;
  }
  first.append(contents);
  document.querySelectorAll('img').forEach(image => { image.loading = 'eager'; });
  if (window.MathJax) {
    await MathJax.startup.promise;
    await MathJax.typesetPromise();
  }
  await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
  return document.querySelectorAll('mjx-merror').length;
}"""

STYLE = """
  @page { size: A4; margin: 16mm 14mm; }
  .bd-header, .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .prev-next-footer, footer,
  #jb-print-docs-body, .ddgp-frames input, .ddgp-frames button, .btn, details.hide { display: none !important; }
  .bd-main .bd-content .bd-article h1:first-of-type { display: block; }
  .bd-main, .bd-content, .bd-article-container, .bd-page-width { max-width: none !important; padding: 0 !important; }
  pre { white-space: pre-wrap; font-size: 8pt; }
  figure, .output img, table, .admonition { break-inside: avoid; }
  img { max-height: 300mm; object-fit: contain; }
  td, th { padding: 0 0.7em !important; }
  .ddgp-contents { list-style: none; break-before: page; }
"""


def pages(toc: Path = ROOT / "_toc.yml") -> list[str]:
    """Return the names of the pages in the order of the contents, without the title page."""
    contents = yaml.safe_load(toc.read_text())
    return [Path(entry["file"]).name + ".html" for part in contents["parts"] for entry in part["chapters"]]


def print_site(browser: Browser, path: Path, names: list[str], html: Path = HTML) -> None:
    """Print the title page of a site and the named pages of its folder ``book``.

    Raises
    ------
    FileNotFoundError
        If there is no built site.
    RuntimeError
        If a formula could not be typeset.
    """
    if not (html / "book" / "index.html").is_file():
        raise FileNotFoundError(f"{html}: there is no site, run `make book` first")
    with serve(html) as address, opened(browser) as page:
        page.goto(f"{address}/book/index.html")
        page.evaluate("document.documentElement.dataset.theme = 'light'")
        page.add_style_tag(content=STYLE)
        if errors := page.evaluate(APPEND, names):
            raise RuntimeError(f"{errors} formulas could not be typeset")
        page.pdf(
            path=path,
            print_background=True,
            prefer_css_page_size=True,
            scale=SCALE,
            tagged=True,
            outline=True,
        )


def offer(pdf: Path, html: Path = HTML) -> int:
    """Put a PDF into a site, and a link to it where its pages keep a place; return how many pages have one."""
    shutil.copyfile(pdf, html / pdf.name)
    count = 0
    for path in html.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if PLACE in text:
            up = "../" * (len(path.relative_to(html).parts) - 1)
            link = f'<p><a href="{up}{pdf.name}">The whole book as a PDF</a></p>'
            path.write_text(text.replace(PLACE, link), encoding="utf-8")
            count += 1
    return count


def main() -> None:
    """Print the built site, say where the PDF is, and offer it on the site."""
    parser = argparse.ArgumentParser(description="Print the built site as one PDF.")
    parser.add_argument("--output", type=Path, default=PDF)
    arguments = parser.parse_args()
    try:
        with launched() as browser:
            print_site(browser, arguments.output, pages())
    except FileNotFoundError as error:
        sys.exit(str(error))
    print(f"{arguments.output}: {arguments.output.stat().st_size / 2**20:.1f} MB")
    if arguments.output == PDF:
        print(f"{offer(PDF)} pages of the site link to it")


if __name__ == "__main__":
    main()
