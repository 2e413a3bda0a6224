# One image for web, live, worker, beat and migrate; docker-compose.yml says which is which.
FROM python:3.11-slim-bookworm AS build
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CONFIG=1 UV_COMPILE_BYTECODE=1
COPY requirements/bootstrap.lock requirements/prod.lock /tmp/
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/bootstrap.lock \
    && python -m venv /opt/venv \
    && uv pip sync --python /opt/venv/bin/python --require-hashes --no-build /tmp/prod.lock

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home bidwell \
    && install -d -o bidwell -g bidwell -m 0750 /srv/data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=marketplace.settings.prod \
    DATA_DIR=/srv/data
WORKDIR /srv/bidwell
COPY . .
# Values that only let the settings load; none of them stays in the image.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    SITE_URL=https://build.invalid ALLOWED_HOSTS=build.invalid \
    DATABASE_URL=postgres://build.invalid/build REDIS_URL=redis://build.invalid \
    STRIPE_SECRET_KEY=sk_test_build STRIPE_WEBHOOK_SECRET=whsec_build \
    sh -c 'python manage.py collectstatic --noinput && python manage.py build_encoder' \
    && python -m compileall -q .
USER bidwell
EXPOSE 8000 8001
CMD ["gunicorn", "marketplace.wsgi:application", "--bind", "0.0.0.0:8000"]
