"""The application's keys: a login, and a key that is written and read."""

import uuid

from infra.checks.reach import SECONDS, FailedError, Reach


def connected(reach: Reach) -> str:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    view, credential = reach.view, reach.credential
    host, port = reach.address()
    client = redis.Redis(
        host=host,
        port=port,
        ssl=view.tls,
        ssl_ca_data=reach.ca,
        db=reach.slice.db,
        username=credential.username,
        password=credential.password.get_secret_value(),
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
    key = f"{reach.slice.prefix}strata:verify:{uuid.uuid4()}"
    try:
        version = client.info("server")["redis_version"]
        client.set(key, "1", ex=60)
        if client.delete(key) != 1:
            raise FailedError("a key that was written is not there", "look at maxmemory-policy: keys are evicted")
    except redis.AuthenticationError:
        raise reach.refused() from None
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise reach.unreachable(error) from None
    except redis.RedisError as error:  # such as OOM, MISCONF when the disk is full, NOPERM
        raise FailedError(str(error), "see the memory and the disk of its server") from None
    finally:
        client.close()
    return f"Redis connected: version {version}"
