"""What MkDocs runs while it builds the pages."""

import logging

import jieba

# It tells on stderr that it reads its dictionary, as if something were wrong.
jieba.setLogLevel(logging.WARNING)
