"""What all pages share: the environment that writes them, their look, and figures as inline SVG.

A page is written by `simulate.pages.writing.write`, from a template that extends ``base.html``; its figures, such as
`simulate.pages.ladder.ladder`, are markup to put into it. Nothing on a page is loaded from elsewhere.
"""
