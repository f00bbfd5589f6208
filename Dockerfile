# One image for docker, Binder and Codespaces: the environment, the run of the quick profile, the book and JupyterLab.
#   docker build -t living-replication . && docker run --rm -p 8000:8000 -p 8888:8888 living-replication
FROM python:3.11-bookworm

# The versions are the base image's Debian 12: pinned ones vanish from its mirrors with each correction
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends chromium \
    && rm -rf /var/lib/apt/lists/*

# Binder starts the image as user 1000 and asks for a home folder
ARG NB_USER=reader
ARG NB_UID=1000
ENV HOME=/home/${NB_USER}
RUN useradd --create-home --uid "${NB_UID}" "${NB_USER}" \
    && install -d -o "${NB_UID}" -g "${NB_UID}" "${HOME}/book"
USER ${NB_USER}
WORKDIR ${HOME}/book

COPY --chown=${NB_UID} . .
RUN make lab book

ENV PATH=${HOME}/book/.venv/bin:${PATH} \
    TF_USE_LEGACY_KERAS=1
EXPOSE 8000 8888
CMD ["make", "open"]
