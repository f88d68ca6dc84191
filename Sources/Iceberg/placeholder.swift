// Iceberg
