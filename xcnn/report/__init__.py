"""The report: what a run wrote down, and its pictures, as one self-contained HTML page.

One that is too large becomes several pages beside the photographs.

``xcnn.report.html.write`` makes the page. It is not re-exported, so that importing this package loads no Jinja2.
"""
