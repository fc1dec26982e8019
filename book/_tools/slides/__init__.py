"""Slides of every chapter, made from its notebook: ``python -m book._tools.slides`` writes ``dist/slides``.

A chapter carries no marks for its slides. What a lecture shows is read off its structure: learning goals, displayed
equations with the sentence that leads to them, sentences with a term or a claim in bold, figures, sliders, short code
that stands beside an equation, short printed results, exercises, and the recap. The whole prose, and the solutions
of the exercises, are the speaker's notes.

The work is done in this order: ``markup`` reads Markdown into blocks, ``cells`` a notebook, ``quiz`` its questions;
``references`` numbers what can be referred to; ``choose`` says what is shown, and ``parts`` about how high it is;
``plan`` spreads it over slides; ``render`` and ``deck`` write HTML, and the page makes every slide fit. nbconvert is
not used: it makes a slide of a cell, and these chapters have cells of many paragraphs. The parser is the one of the
site, so nothing is needed that the site does not need.
"""
