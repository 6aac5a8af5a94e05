# `recipes serve` without TensorFlow: it predicts, and does not train. docs/serve.md says how to use it.
#
#     docker build -t keras_recipes .
#     docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 keras_recipes

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:${PYTHON}-slim
COPY serving.txt /
# The wheel's own dependencies include TensorFlow, so none of them is installed.
RUN --mount=from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-compile --no-deps -r /serving.txt /wheels/*.whl \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin recipes
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Models are looked up in ./saved_models, then among those that come with the package.
WORKDIR /models
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/v2/health/ready', timeout=2)"]
ENTRYPOINT ["recipes"]
CMD ["serve", "--host", "0.0.0.0"]
