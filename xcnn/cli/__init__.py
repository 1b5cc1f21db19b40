"""The command line: the only room that touches Typer and Rich."""
