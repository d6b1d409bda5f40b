"""The demo: `python -m vipl`."""

from vipl.demo.run import main

if __name__ == "__main__":
    main()
