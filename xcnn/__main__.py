"""`python -m xcnn`."""

from xcnn.cli.main import main

if __name__ == "__main__":
    main()
