"""The site in the engines that Playwright does not drive as Debian has them: Firefox and WebKit."""
