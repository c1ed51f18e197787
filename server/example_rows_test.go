package server_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

// rows is a database with one table and one query, of a row by its key. It stands for any driver of database/sql.
type rows map[string][]driver.Value

func (r rows) Connect(context.Context) (driver.Conn, error) { return rowsConn{r}, nil }
func (r rows) Driver() driver.Driver                        { return nil }

type rowsConn struct{ rows rows }

func (c rowsConn) Prepare(string) (driver.Stmt, error) { return rowsStmt(c), nil }
func (rowsConn) Close() error                          { return nil }
func (rowsConn) Begin() (driver.Tx, error)             { return nil, errors.New("no transactions here") }

type rowsStmt struct{ rows rows }

func (rowsStmt) Close() error  { return nil }
func (rowsStmt) NumInput() int { return 1 }
func (rowsStmt) Exec([]driver.Value) (driver.Result, error) {
	return nil, errors.New("nothing to execute")
}

func (s rowsStmt) Query(args []driver.Value) (driver.Rows, error) {
	key, _ := args[0].(string)
	row, found := s.rows[key]
	return &result{row, !found}, nil
}

// result is a result of one row at most.
type result struct {
	row  []driver.Value
	done bool
}

func (*result) Columns() []string { return []string{"id", "password_hash", "banned"} }
func (*result) Close() error      { return nil }

func (f *result) Next(dest []driver.Value) error {
	if f.done {
		return io.EOF
	}
	f.done = true
	copy(dest, f.row)
	return nil
}
