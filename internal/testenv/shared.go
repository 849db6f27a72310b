package testenv

import "errors"

// Shared starts one PostgreSQL and one Redis for the processes this one will
// run. It returns the environment variables that tell them where, and what
// ends both; they end with this process in any case.
func Shared() (environment []string, stop func() error, err error) {
	postgres, err := privatePostgres()
	if err != nil {
		return nil, nil, err
	}
	redis, err := privateRedis()
	if err != nil {
		return nil, nil, errors.Join(err, postgres.stop())
	}
	environment = []string{"SUPPORT_TEST_POSTGRES=" + postgres.Address("postgres"), "SUPPORT_TEST_REDIS=" + redis.URL()}
	return environment, func() error { return errors.Join(postgres.stop(), redis.stop()) }, nil
}
