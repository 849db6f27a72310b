package testenv

// Shared starts one PostgreSQL and one Redis for the processes this one will
// run, and returns the environment variables that tell them where. Both end
// with this process.
func Shared() ([]string, error) {
	postgres, err := privatePostgres()
	if err != nil {
		return nil, err
	}
	redis, err := privateRedis()
	if err != nil {
		return nil, err
	}
	return []string{"SUPPORT_TEST_POSTGRES=" + postgres, "SUPPORT_TEST_REDIS=" + redis}, nil
}
